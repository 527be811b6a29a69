import { SeededRandom } from "@tutti/base";
import { addMetrics, noMetrics, type BatchSource, type MetricSums } from "../engine.ts";
import type { LocalJob } from "../local-job.ts";
import { extraVectors, isPlainSgd, type ExtraVector } from "./extra-vectors.ts";
import type { Network, PassOptions } from "./network.ts";
import { optimizerStep } from "./optimizer-step.ts";

/** The examples numbered `order[first..first+count)` of a source. */
export type Minibatch = { readonly examples: BatchSource; readonly order: Uint32Array; readonly first: number; readonly count: number };

/** Neighbouring parameters that are trained. */
type Run = { readonly offset: number; readonly elementCount: number };

/** Takes the steps of one job on one network. */
export class LocalSteps {
  readonly #network: Network;
  readonly #job: LocalJob;
  readonly #vectors: ReadonlyMap<ExtraVector, number>;
  readonly #trained: readonly Run[];
  readonly #frozen: ReadonlySet<string>;
  readonly #random: SeededRandom;
  #stepCount = 0;

  /** Loads the job's start vector and clears its optimizer's state. */
  constructor(network: Network, job: LocalJob) {
    this.#network = network;
    this.#job = job;
    this.#frozen = new Set(job.frozen);
    this.#trained = trainedRuns(network, this.#frozen);
    this.#random = SeededRandom.from(job.shuffleSeed).split("dropout");
    const { layout, elementCount } = network.plan;
    const extra = extraVectors(job, layout.parameterCount);
    this.#vectors = new Map(extra.names.map((name, i) => [name, elementCount + i * extra.stride]));
    network.workspace.reserve(elementCount + extra.elementCount);
    const { numbers, kernels } = network.workspace;
    numbers.set(job.start, network.plan.parameters);
    for (const [name, offset] of this.#vectors) {
      if (name === "start") numbers.set(job.start, offset);
      else if (name === "correction") numbers.set(job.correction ?? [], offset);
      else kernels.fill(layout.parameterCount, 0, offset);
    }
  }

  /** One step on a minibatch; where its loss is no number or it holds no prediction, nothing changes. */
  step(batch: Minibatch): MetricSums {
    this.#stepCount++;
    const random = this.#random.split(this.#stepCount);
    if (isPlainSgd(this.#job)) {
      const sink = { base: this.#network.plan.parameters, scale: -this.#job.optimizer.learningRate, isFused: true };
      return this.#differentiate(batch, { sink, frozen: this.#frozen, random });
    }
    const metrics = this.#job.clip?.per === "example" ? this.#clippedExamples(batch, random, this.#job.clip.norm) : this.#wholeBatch(batch, random);
    if (hasGradient(metrics)) this.#update();
    return metrics;
  }

  /** Adds a batch's gradient to the sink, unless its loss is no number. */
  #differentiate({ examples, order, first, count }: Minibatch, options: PassOptions): MetricSums {
    this.#network.load(examples, order, first, count);
    const metrics = this.#network.forward(options);
    if (hasGradient(metrics)) this.#network.backward(options);
    return metrics;
  }

  #wholeBatch(batch: Minibatch, random: SeededRandom): MetricSums {
    const { kernels } = this.#network.workspace;
    const { parameterCount } = this.#network.plan.layout;
    const gradient = this.#at("gradient");
    kernels.fill(parameterCount, 0, gradient);
    const metrics = this.#differentiate(batch, { sink: { base: gradient, scale: 1, isFused: false }, frozen: this.#frozen, random });
    if (this.#job.clip !== null) kernels.scale(parameterCount, this.#clipFactor(gradient, this.#job.clip.norm), gradient);
    return metrics;
  }

  /**
   * The mean over the batch's examples of each one's clipped gradient; an example without a prediction
   * counts as a zero gradient, so that one example moves the mean by at most 2·norm/count.
   */
  #clippedExamples(batch: Minibatch, random: SeededRandom, norm: number): MetricSums {
    const { kernels } = this.#network.workspace;
    const { parameterCount } = this.#network.plan.layout;
    const [gradient, own] = [this.#at("gradient"), this.#at("example-gradient")];
    const sink = { base: own, scale: 1, isFused: false };
    kernels.fill(parameterCount, 0, gradient);
    let metrics = noMetrics;
    for (let i = 0; i < batch.count && Number.isFinite(metrics.lossSum); i++) {
      kernels.fill(parameterCount, 0, own);
      metrics = addMetrics(metrics, this.#differentiate({ ...batch, first: batch.first + i, count: 1 }, { sink, frozen: this.#frozen, random: random.split(i) }));
      kernels.axpy(parameterCount, this.#clipFactor(own, norm) / batch.count, own, gradient);
    }
    return metrics;
  }

  /** What scales the vector to an L2 norm of at most `norm`: 1 where it is shorter, or zero. */
  #clipFactor(vector: number, norm: number): number {
    const { kernels } = this.#network.workspace;
    return Math.min(1, norm / Math.sqrt(kernels.sumOfSquares(this.#network.plan.layout.parameterCount, vector)));
  }

  /** Adds to the gradient what does not come from the examples, then steps. */
  #update(): void {
    const { kernels } = this.#network.workspace;
    const { optimizer, proximalTerm, correction } = this.#job;
    for (const { offset, elementCount } of this.#trained) {
      const gradient = this.#at("gradient") + offset;
      if (correction !== null) kernels.axpy(elementCount, 1, this.#at("correction") + offset, gradient);
      if (proximalTerm > 0) {
        kernels.axpy(elementCount, proximalTerm, offset, gradient);
        kernels.axpy(elementCount, -proximalTerm, this.#at("start") + offset, gradient);
      }
      optimizerStep(kernels, optimizer, this.#stepCount, { elementCount, parameters: offset, gradient, vector: (name) => this.#at(name) + offset });
    }
  }

  #at(name: ExtraVector): number {
    const offset = this.#vectors.get(name);
    if (offset === undefined) throw new Error(`the job has no vector ${name}`);
    return offset;
  }
}

/** A finite loss over at least one prediction. */
function hasGradient(metrics: MetricSums): boolean {
  return Number.isFinite(metrics.lossSum) && metrics.predictionCount > 0;
}

function trainedRuns({ plan: { layout } }: Network, frozen: ReadonlySet<string>): readonly Run[] {
  const runs: Run[] = [];
  for (const { layer, offset, elementCount } of layout.tensors) {
    if (frozen.has(layer)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.offset + last.elementCount === offset) runs[runs.length - 1] = { offset: last.offset, elementCount: last.elementCount + elementCount };
    else runs.push({ offset, elementCount });
  }
  return runs;
}
