import { allFinite, err, ok, type Result } from "@tutti/base";
import type { LocalJob, LocalResult, LocalTraining } from "@tutti/engine";
import type { MetricSums } from "@tutti/protocol";
import { metricSumsOf } from "./metrics.ts";

/** What a device has of its own when training begins. */
export type LocalStart = {
  /** [parameters] float32, the downloaded model; not written. */
  readonly parameters: Float32Array;
  /** Seeds the order of the examples: drawn on the device, never sent. */
  readonly shuffleSeed: number;
};

/** What local training gives to a report. */
export type LocalOutcome = {
  /** [parameters that travel] float32, trained − downloaded; not clipped yet. */
  readonly delta: Float32Array;
  /** Examples that were trained on: the report's weight before the plan's maximum. */
  readonly exampleCount: number;
  readonly metrics: MetricSums;
};

/** Training that must not become a report. */
export type LocalTrainingFault = { readonly code: "not-finite" } | { readonly code: "stopped" };

/** init: the engine's job for a plan's training. The steps are the engine's (`Trainer.train`), one per minibatch. */
export function beginLocalTraining(training: LocalTraining, { parameters, shuffleSeed }: LocalStart): LocalJob {
  return { ...training, start: parameters, shuffleSeed, correction: null };
}

/**
 * final: what of the engine's result may be reported. Training that was stopped by its signal is none,
 * and neither is a delta with NaN or infinity; a time limit of the job is a normal end.
 */
export function endLocalTraining(result: LocalResult): Result<LocalOutcome, LocalTrainingFault> {
  if (result.stopped === "non-finite" || !allFinite(result.delta)) return err({ code: "not-finite" });
  if (result.stopped === "signal") return err({ code: "stopped" });
  return ok({ delta: result.delta, exampleCount: result.exampleCount, metrics: metricSumsOf(result.metrics) });
}
