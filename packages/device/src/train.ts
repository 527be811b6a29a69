import { err, ok, type Result } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import { beginLocalTraining, endLocalTraining, metricSumsOf, type LocalOutcome, type LocalTrainingFault } from "@tutti/learning";
import { decode, MetricSumsSchema } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { drawSeed } from "./draw.ts";
import { aborted, causeText, type Ending } from "./ending.ts";
import type { AcceptedPlan } from "./plan-check.ts";

/** What came of the local work: metric sums alone, or also what the parameters moved by. */
export type Trained = ({ readonly kind: "trained" } & LocalOutcome) | ({ readonly kind: "evaluated" } & Omit<LocalOutcome, "delta">);

/** What one device trains or evaluates: the downloaded model, and examples of its own. */
export type LocalData = { readonly parameters: Float32Array<ArrayBuffer>; readonly examples: BatchSource };

/** Step 6: trains or evaluates on the device's own examples, until done or `signal` stops it before a minibatch. */
export async function train(context: DeviceContext, accepted: AcceptedPlan, data: LocalData, signal: AbortSignal): Promise<Result<Trained, Ending>> {
  try {
    const trained = accepted.plan.kind === "evaluate" ? await evaluated(context, accepted, data, signal) : await moved(context, accepted, data, signal);
    // Sums that no report can hold (NaN among them) come of the same trouble as a delta that is not finite.
    return !trained.ok || decode(MetricSumsSchema, trained.value.metrics).ok ? trained : err(faults["not-finite"]);
  } catch (cause) {
    return err(aborted("training-failed", causeText(cause)));
  }
}

async function evaluated({ platform }: DeviceContext, { model }: AcceptedPlan, data: LocalData, signal: AbortSignal): Promise<Result<Trained, Ending>> {
  const metrics = await platform.trainer.evaluate({ model, ...data }, signal);
  if (!metrics.ok) return err(aborted("engine-missing", metrics.error.missing.join(", ")));
  return ok({ kind: "evaluated", exampleCount: data.examples.exampleCount, metrics: metricSumsOf(metrics.value) });
}

async function moved({ platform }: DeviceContext, { model, training }: AcceptedPlan, { parameters, examples }: LocalData, signal: AbortSignal): Promise<Result<Trained, Ending>> {
  const job = beginLocalTraining(training, { parameters, shuffleSeed: drawSeed(platform.random) });
  const result = await platform.trainer.train({ model, job, examples }, signal);
  if (!result.ok) return err(aborted("engine-missing", result.error.missing.join(", ")));
  const outcome = endLocalTraining(result.value);
  return outcome.ok ? ok({ kind: "trained", ...outcome.value }) : err(faults[outcome.error.code]);
}

const faults: Readonly<Record<LocalTrainingFault["code"], Ending>> = {
  "not-finite": aborted("not-finite", "training left the finite numbers"),
  "stopped": aborted("conditions-lost", "stopped before a minibatch"),
};
