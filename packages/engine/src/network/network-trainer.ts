import { assert, SeededRandom } from "@tutti/base";
import { addMetrics, noMetrics, type Batch, type BatchSource, type EnginePorts, type LocalResult, type LocalStop, type MetricSums, type Numerics, type Trainer } from "../engine.ts";
import { gather, layoutWithout, type ParameterLayout } from "../layout.ts";
import { trainerBytesMax } from "../limits.ts";
import type { LocalJob } from "../local-job.ts";
import type { Model } from "../model.ts";
import type { Workspace } from "../workspace.ts";
import { checkModel } from "./check-model.ts";
import { checkSource } from "./check-source.ts";
import { vectorStride } from "./extra-vectors.ts";
import { LocalSteps } from "./local-steps.ts";
import { Network } from "./network.ts";
import { planNetwork } from "./plan.ts";

type Parts = { readonly model: Model; readonly maxBatch: number; readonly workspace: Workspace; readonly ports: EnginePorts };

/** What an engine's `compile` is asked, and what the engine knows of its workspaces: their bytes for so many numbers. */
export type TrainerStart = Pick<Parts, "model" | "maxBatch" | "ports"> & {
  readonly numerics: Numerics;
  readonly isDeterministic: boolean;
  readonly memoryBytes: (elementCount: number) => number;
  readonly createWorkspace: () => Workspace;
};

/** A trainer of a model that `checkModel` passes. Yields first: taking and clearing hundreds of megabytes is noticed. */
export async function startTrainer({ createWorkspace, memoryBytes, numerics, isDeterministic, ...parts }: TrainerStart): Promise<NetworkTrainer> {
  await parts.ports.pause();
  assert(numerics === "fast" || isDeterministic, "relaxed SIMD is not deterministic");
  const check = checkModel(parts.model, memoryBytes);
  assert(check.ok, "a model is checked before it is compiled");
  assert(check.bytes(parts.maxBatch) <= trainerBytesMax, "a trainer takes at most trainerBytesMax");
  return new NetworkTrainer({ ...parts, workspace: createWorkspace() });
}

type Progress = { stepCount: number; exampleVisitCount: number; lossFirst: number; lossLast: number; metrics: MetricSums };

/** The trainer of every engine of ours: the same job loop and layers over whichever kernels the workspace has. */
export class NetworkTrainer implements Trainer {
  readonly layout: ParameterLayout;
  readonly #network: Network;
  readonly #model: Model;
  readonly #maxBatch: number;
  readonly #ports: EnginePorts;

  constructor({ model, maxBatch, workspace, ports }: Parts) {
    this.#model = model;
    this.#maxBatch = maxBatch;
    this.#ports = ports;
    this.#network = new Network(model, planNetwork(model, maxBatch), workspace);
    this.layout = this.#network.plan.layout;
  }

  async train(job: LocalJob, examples: BatchSource, signal?: AbortSignal): Promise<LocalResult> {
    this.#checkJob(job);
    checkSource(this.#model, examples);
    const steps = new LocalSteps(this.#network, job);
    const progress: Progress = { stepCount: 0, exampleVisitCount: 0, lossFirst: Number.NaN, lossLast: Number.NaN, metrics: noMetrics };
    const stopped = await this.#run(job, examples, steps, progress, signal);
    return this.#result(job, examples, progress, stopped);
  }

  async #run(job: LocalJob, examples: BatchSource, steps: LocalSteps, progress: Progress, signal: AbortSignal | undefined): Promise<LocalStop> {
    const random = SeededRandom.from(job.shuffleSeed).split("order");
    const endMs = job.timeLimitMs === null ? null : this.#ports.now() + job.timeLimitMs;
    for (let epoch = 0; epoch < job.epochCount; epoch++) {
      const order = job.exampleOrder === "shuffled" ? random.split(epoch).permutation(examples.exampleCount) : inOrder(examples.exampleCount);
      for (let first = 0; first < order.length; first += job.batchSize) {
        if (job.stepCountLimit !== null && progress.stepCount >= job.stepCountLimit) return "completed";
        await this.#ports.pause();
        if (signal?.aborted === true) return "signal";
        if (endMs !== null && this.#ports.now() >= endMs) return "time";
        const batch = { examples, order, first, count: Math.min(job.batchSize, order.length - first) };
        if (!record(progress, steps.step(batch))) return "non-finite";
      }
    }
    return "completed";
  }

  #result(job: LocalJob, examples: BatchSource, progress: Progress, stopped: LocalStop): LocalResult {
    const { numbers } = this.#network.workspace;
    const delta = new Float32Array(this.layout.parameterCount);
    let isFinite = true;
    for (let i = 0; i < delta.length; i++) {
      delta[i] = (numbers[i] ?? 0) - (job.start[i] ?? 0);
      isFinite &&= Number.isFinite(delta[i]);
    }
    const trained = new Float32Array(numbers.subarray(0, this.layout.parameterCount));
    const travelling = layoutWithout(this.layout, [...job.frozen, ...job.personal]);
    const shared = layoutWithout(this.layout, this.layout.tensors.map((tensor) => tensor.layer).filter((layer) => !job.personal.includes(layer)));
    return {
      ...progress,
      delta: travelling.parameterCount === delta.length ? delta : gather(this.layout, travelling, delta),
      personal: gather(this.layout, shared, trained),
      exampleCount: examples.exampleCount,
      stopped: isFinite ? stopped : "non-finite",
    };
  }

  #checkJob(job: LocalJob): void {
    assert(job.start.length === this.layout.parameterCount, "a job starts from a vector of the model's length");
    assert(job.correction === null || job.correction.length === job.start.length, "a correction has the model's length");
    assert(job.batchSize >= 1 && job.batchSize <= this.#maxBatch, "a job's batch fits what was compiled");
    const names = new Set(this.#model.layers.map((layer) => layer.name));
    assert([...job.frozen, ...job.personal].every((name) => names.has(name)), "frozen and personal name layers of the model");
  }

  async evaluate(parameters: Float32Array, examples: BatchSource): Promise<MetricSums> {
    checkSource(this.#model, examples);
    this.#setParameters(parameters);
    const order = inOrder(examples.exampleCount);
    let metrics = noMetrics;
    for (let first = 0; first < order.length; first += this.#maxBatch) {
      await this.#ports.pause();
      this.#network.load(examples, order, first, Math.min(this.#maxBatch, order.length - first));
      metrics = addMetrics(metrics, this.#network.forward({ random: null, frozen: new Set(), sink: { base: 0, scale: 0, isFused: false } }));
    }
    return metrics;
  }

  gradient(parameters: Float32Array, batch: Batch, out: Float32Array): number {
    assert(batch.exampleCount >= 1 && batch.exampleCount <= this.#maxBatch, "a batch fits what was compiled");
    assert(out.length === this.layout.parameterCount, "a gradient has the model's length");
    checkSource(this.#model, batch);
    const { plan, workspace } = this.#network;
    workspace.reserve(plan.elementCount + vectorStride(this.layout.parameterCount));
    this.#setParameters(parameters);
    this.#network.load(batch, inOrder(batch.exampleCount), 0, batch.exampleCount);
    const options = { random: null, frozen: new Set<string>(), sink: { base: plan.elementCount, scale: 1, isFused: false } };
    workspace.kernels.fill(this.layout.parameterCount, 0, plan.elementCount);
    const { lossSum, predictionCount } = this.#network.forward(options);
    this.#network.backward(options);
    out.set(workspace.numbers.subarray(plan.elementCount, plan.elementCount + out.length));
    return predictionCount === 0 ? 0 : lossSum / predictionCount;
  }

  #setParameters(parameters: Float32Array): void {
    assert(parameters.length === this.layout.parameterCount, "parameters have the model's length");
    this.#network.workspace.numbers.set(parameters, this.#network.plan.parameters);
  }

  dispose(): void {
    this.#network.workspace.release();
  }
}

function inOrder(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}

/** Notes one step; false where its loss is no number, and the step was not taken. */
function record(progress: Progress, metrics: MetricSums): boolean {
  const loss = metrics.predictionCount === 0 ? 0 : metrics.lossSum / metrics.predictionCount;
  if (progress.stepCount === 0) progress.lossFirst = loss;
  progress.lossLast = loss;
  if (!Number.isFinite(loss)) return false;
  progress.stepCount++;
  progress.exampleVisitCount += metrics.exampleCount;
  progress.metrics = addMetrics(progress.metrics, metrics);
  return true;
}
