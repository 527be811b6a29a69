import { SeededRandom } from "@tutti/base";
import type { MetricSums } from "../engine.ts";
import type { LocalJob } from "../local-job.ts";
import type { Network, PassOptions } from "./network.ts";

/** Vectors of [parameterCount] beyond the network's own memory, taken when a job asks for them. */
export type Extra = "gradient" | "example-gradient" | "first-moment" | "second-moment" | "start" | "correction";

/** Which extra vectors a job needs, in their order in memory. */
export function extrasOf(job: LocalJob): readonly Extra[] {
  const { optimizer } = job;
  if (isPlainSgd(job)) return [];
  const extras: Extra[] = ["gradient"];
  if (job.clip?.per === "example") extras.push("example-gradient");
  if (optimizer.kind !== "sgd" || optimizer.momentum > 0) extras.push("first-moment");
  if (optimizer.kind === "adam" || optimizer.kind === "adamw") extras.push("second-moment");
  if (job.proximalTerm > 0) extras.push("start");
  if (job.correction !== null) extras.push("correction");
  return extras;
}

/** w ← w − lr·g and nothing else: the step is taken while the gradient is computed. */
function isPlainSgd(job: LocalJob): boolean {
  const { optimizer } = job;
  return optimizer.kind === "sgd" && optimizer.momentum === 0 && optimizer.weightDecay === 0 && job.proximalTerm === 0 && job.correction === null && job.clip === null;
}

/** Takes the steps of one job on one network. */
export class LocalSteps {
  readonly #network: Network;
  readonly #job: LocalJob;
  readonly #offsets: ReadonlyMap<Extra, number>;
  readonly #frozen: ReadonlySet<string>;
  readonly #random: SeededRandom;
  #stepCount = 0;

  /** Loads the job's start vector and clears its optimizer's state. */
  constructor(network: Network, job: LocalJob) {
    this.#network = network;
    this.#job = job;
    this.#frozen = new Set(job.frozen);
    this.#random = SeededRandom.from(job.shuffleSeed).split("dropout");
    const { layout, elementCount } = network.plan;
    const stride = Math.ceil(layout.parameterCount / 4) * 4 + 4;
    this.#offsets = new Map(extrasOf(job).map((extra, i) => [extra, elementCount + i * stride]));
    network.workspace.reserve(elementCount + this.#offsets.size * stride);
    const { numbers, kernels } = network.workspace;
    numbers.set(job.start, network.plan.parameters);
    for (const [extra, offset] of this.#offsets) {
      if (extra === "start") numbers.set(job.start, offset);
      else if (extra === "correction") numbers.set(job.correction ?? [], offset);
      else kernels.fill(layout.parameterCount, 0, offset);
    }
  }

  /** One step on the loaded batch; a loss that is no number changes nothing and is returned. */
  step(): MetricSums {
    const gradient = this.#offsets.get("gradient");
    this.#stepCount++;
    const options = this.#options(gradient);
    const metrics = this.#network.forward(options);
    if (!Number.isFinite(metrics.lossSum) || metrics.predictionCount === 0) return metrics;
    if (gradient !== undefined) this.#network.workspace.kernels.fill(this.#network.plan.layout.parameterCount, 0, gradient);
    this.#network.backward(options);
    if (gradient !== undefined) this.#update(gradient);
    return metrics;
  }

  #options(gradient: number | undefined): PassOptions {
    const sink = gradient === undefined
      ? { base: this.#network.plan.parameters, scale: -this.#job.optimizer.learningRate, isFused: true }
      : { base: gradient, scale: 1, isFused: false };
    return { sink, frozen: this.#frozen, random: this.#random.split(this.#stepCount) };
  }

  #update(gradient: number): void {
    const { kernels } = this.#network.workspace;
    const { optimizer } = this.#job;
    const velocity = this.#offsets.get("first-moment");
    const { tensors } = this.#network.plan.layout;
    for (const { offset, elementCount, layer } of tensors) {
      if (this.#frozen.has(layer)) continue;
      if (optimizer.kind === "sgd" && velocity !== undefined) kernels.momentumStep(elementCount, optimizer.learningRate, optimizer.momentum, offset, gradient + offset, velocity + offset);
      else kernels.axpy(elementCount, -optimizer.learningRate, gradient + offset, offset);
    }
  }
}
