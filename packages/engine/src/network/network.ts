import { assert, unreachable } from "@tutti/base";
import type { BatchSource, MetricSums } from "../engine.ts";
import type { Model } from "../model.ts";
import type { Workspace } from "../workspace.ts";
import type { NetworkPlan } from "./plan.ts";
import type { Pass } from "./program.ts";

/** What a pass does beside computing: where gradients go, what is frozen, what dropout draws from. */
export type PassOptions = Pick<Pass, "random" | "sink" | "frozen">;

/** A planned model on its memory: one batch in, loss and gradients out. */
export class Network {
  readonly plan: NetworkPlan;
  readonly workspace: Workspace;
  readonly #model: Model;
  #batch = 0;
  #predictionCount = 0;

  constructor(model: Model, plan: NetworkPlan, workspace: Workspace) {
    this.plan = plan;
    this.workspace = workspace;
    this.#model = model;
    workspace.reserve(plan.elementCount);
  }

  /** Copies the examples numbered `order[first..first+count)` of `source` into the memory. */
  load(source: BatchSource, order: Uint32Array, first: number, count: number): void {
    const { numbers } = this.workspace;
    const { input, targets, targetSize } = this.plan;
    this.#batch = count;
    for (let i = 0; i < count; i++) {
      const example = order[first + i] ?? 0;
      numbers.set(source.inputs.subarray(example * input.exampleSize, (example + 1) * input.exampleSize), input.value + i * input.exampleSize);
      numbers.set(source.targets.subarray(example * targetSize, (example + 1) * targetSize), targets + i * targetSize);
    }
    this.#predictionCount = this.#countPredictions(count * targetSize);
  }

  #countPredictions(targetCount: number): number {
    const { loss } = this.#model;
    if (loss.kind !== "softmax-cross-entropy" || loss.ignoreIndex === null) return targetCount;
    const ids = this.workspace.numbers.subarray(this.plan.targets, this.plan.targets + targetCount);
    let ignored = 0;
    for (const id of ids) if (id === loss.ignoreIndex) ignored++;
    return targetCount - ignored;
  }

  /** The loaded batch's output, loss and counts; the loss's gradient is left at the output. */
  forward(options: PassOptions): MetricSums {
    const pass = this.#pass(options);
    for (const program of this.plan.programs) program.forward(pass);
    const lossSum = this.#loss();
    const stats = this.workspace.numbers.subarray(this.plan.stats, this.plan.stats + 3);
    const wants = (kind: string): boolean => this.#model.metrics.some((metric) => metric.kind === kind);
    return {
      exampleCount: this.#batch,
      predictionCount: this.#predictionCount,
      lossSum,
      correctCount: wants("accuracy") ? (stats[0] ?? 0) : 0,
      correctTopKCount: wants("top-k") ? (stats[1] ?? 0) : 0,
      absoluteErrorSum: wants("mean-absolute-error") ? (stats[2] ?? 0) : 0,
    };
  }

  /** Adds the gradient of the batch's MEAN loss to `options.sink`; follows `forward` with the same options. */
  backward(options: PassOptions): void {
    const pass = this.#pass(options);
    for (const program of this.plan.programs.toReversed()) program.backward(pass);
  }

  #pass(options: PassOptions): Pass {
    return { ...options, workspace: this.workspace, batch: this.#batch, scratch: this.plan.scratch };
  }

  #loss(): number {
    const { kernels } = this.workspace;
    const { output, targets, stats } = this.plan;
    const { loss } = this.#model;
    assert(output.gradient !== null, "the output has a gradient");
    const dx = output.gradient;
    const scale = this.#predictionCount === 0 ? 0 : 1 / this.#predictionCount;
    const count = this.#batch * output.exampleSize;
    switch (loss.kind) {
      case "softmax-cross-entropy": {
        const classCount = output.shape.at(-1) ?? 1;
        return kernels.softmaxCrossEntropy(count / classCount, classCount, output.value, targets, loss.ignoreIndex ?? -2, this.#topK(), scale, dx, stats);
      }
      case "sigmoid-cross-entropy": return kernels.sigmoidCrossEntropy(count, output.value, targets, scale, dx, stats);
      case "mean-squared-error": return kernels.squaredError(count, output.value, targets, scale, dx, stats);
      case "huber": return kernels.huber(count, loss.delta, output.value, targets, scale, dx, stats);
      default: return unreachable(loss);
    }
  }

  #topK(): number {
    for (const metric of this.#model.metrics) if (metric.kind === "top-k") return metric.k;
    return 0;
  }
}

