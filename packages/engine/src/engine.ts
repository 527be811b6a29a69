import type { InstantMs } from "@tutti/base";
import type { ParameterLayout } from "./layout.ts";
import type { LocalJob, LocalTraining } from "./local-job.ts";
import type { Model } from "./model.ts";

/** What an engine needs from its surroundings. */
export type EnginePorts = {
  /** Lets the surroundings run between two minibatches: a message, a timer, a repaint. */
  pause(): Promise<void>;
  /** Read only for a job's time limit. */
  now(): InstantMs;
};

/** `deterministic`: the same bits on every machine; `fast`: fused multiply-add where the machine has it. */
export type Numerics = "fast" | "deterministic";

export type CompileOptions = { readonly maxBatch: number; readonly numerics: Numerics };

/**
 * Whether an engine can train a model, and the bytes of memory that one trainer of it takes: for
 * evaluation and plain SGD, or with the optimizer's state and the other vectors that `job` needs.
 */
export type ModelCheck =
  | { readonly ok: true; bytes(batchSize: number, job?: LocalTraining | LocalJob): number }
  | { readonly ok: false; readonly missing: readonly string[] };

export interface Engine {
  readonly id: "wasm-relaxed" | "wasm-simd" | "js" | (string & {});
  check(model: Model): ModelCheck;
  /** @throws AssertionError when `check` refuses the model, or `maxBatch` takes more than `trainerBytesMax`: ask it first. */
  compile(model: Model, options: CompileOptions): Promise<Trainer>;
}

/** One model ready to train; runs one call at a time. */
export interface Trainer {
  readonly layout: ParameterLayout;
  /** Trains from `job.start`; looks at `signal` and awaits `pause` before every minibatch. `job.start` is not written. */
  train(job: LocalJob, examples: BatchSource, signal?: AbortSignal): Promise<LocalResult>;
  /** Metric sums of `parameters` [parameterCount] over all examples, dropout off. */
  evaluate(parameters: Float32Array, examples: BatchSource): Promise<MetricSums>;
  /**
   * Mean loss of one batch, dropout off; its gradient, [parameterCount] in parameter order, is
   * written to `out`.
   */
  gradient(parameters: Float32Array, batch: Batch, out: Float32Array): number;
  dispose(): void;
}

/**
 * Examples as two flat arrays, ready to be transferred to a worker.
 * `inputs` [exampleCount, ...input shape]: float32 features, or int32 token ids in 0..vocabulary−1.
 * `targets` [exampleCount, ...target shape]: int32 class ids, or float32 values.
 */
export type BatchSource = {
  readonly exampleCount: number;
  readonly inputs: Float32Array | Int32Array;
  readonly targets: Float32Array | Int32Array;
};

/** One minibatch: a `BatchSource` of at most `maxBatch` examples. */
export type Batch = BatchSource;

/** Sums and counts that add up over batches and devices; a metric that the model does not ask for stays 0. */
export type MetricSums = {
  readonly exampleCount: number;
  /** Terms of `lossSum`: positions with a class, or single numbers of a values target. */
  readonly predictionCount: number;
  readonly lossSum: number;
  readonly correctCount: number;
  readonly correctTopKCount: number;
  readonly absoluteErrorSum: number;
};

/** Why local training ended before its epochs or steps; `completed` is the normal end. */
export type LocalStop = "completed" | "signal" | "time" | "non-finite";

export type LocalResult = {
  /** trained − downloaded, float32, [parameters that travel]: all but frozen and personal layers. */
  readonly delta: Float32Array;
  /** Trained values of the personal layers, in layout order; they stay on the device. */
  readonly personal: Float32Array;
  /** Examples in the source, and visits to them summed over the steps. */
  readonly exampleCount: number;
  readonly exampleVisitCount: number;
  readonly stepCount: number;
  /** Mean loss of the first and the last minibatch, before their steps; NaN where none ran. */
  readonly lossFirst: number;
  readonly lossLast: number;
  /** Sums over all minibatches, each measured before its step. */
  readonly metrics: MetricSums;
  readonly stopped: LocalStop;
};

export const noMetrics: MetricSums = { exampleCount: 0, predictionCount: 0, lossSum: 0, correctCount: 0, correctTopKCount: 0, absoluteErrorSum: 0 };

/** Both sums together: of two batches, or of two devices. */
export function addMetrics(a: MetricSums, b: MetricSums): MetricSums {
  return {
    exampleCount: a.exampleCount + b.exampleCount,
    predictionCount: a.predictionCount + b.predictionCount,
    lossSum: a.lossSum + b.lossSum,
    correctCount: a.correctCount + b.correctCount,
    correctTopKCount: a.correctTopKCount + b.correctTopKCount,
    absoluteErrorSum: a.absoluteErrorSum + b.absoluteErrorSum,
  };
}
