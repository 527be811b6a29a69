import { err, ok, type Result } from "@tutti/base";
import type { BatchSource, LocalResult, MetricSums } from "@tutti/engine";
import type { DeviceContext } from "./device-context.ts";
import { drawSeed } from "./draw.ts";
import { aborted, type Ending } from "./ending.ts";
import type { AcceptedPlan } from "./plan-check.ts";
import type { EngineMissing } from "./platform.ts";

/** What came of the local work: metrics alone, or also what the parameters moved by. */
export type Trained = { readonly kind: "evaluated"; readonly metrics: MetricSums } | { readonly kind: "trained"; readonly local: LocalResult };

/** Step 6: trains or evaluates on the device's own examples, until done or `signal` stops it before a minibatch. */
export async function train(
  context: DeviceContext,
  accepted: AcceptedPlan,
  data: { readonly parameters: Float32Array<ArrayBuffer>; readonly examples: BatchSource },
  signal: AbortSignal,
): Promise<Result<Trained, Ending>> {
  const { trainer, random } = context.platform;
  const work = { model: accepted.model, ...data };
  try {
    if (accepted.plan.kind === "evaluate") {
      const metrics = await trainer.evaluate(work, signal);
      return metrics.ok ? ok({ kind: "evaluated", metrics: metrics.value }) : err(missing(metrics.error));
    }
    const local = await trainer.train({ ...work, training: accepted.training, shuffleSeed: drawSeed(random) }, signal);
    return local.ok ? usable(local.value) : err(missing(local.error));
  } catch (cause) {
    return err(aborted("training-failed", cause instanceof Error ? cause.message : "the trainer failed"));
  }
}

/** A result that may be reported; a time limit of the job is a normal end. */
function usable(local: LocalResult): Result<Trained, Ending> {
  const isFinite = local.stopped !== "non-finite" && local.delta.every(Number.isFinite);
  if (!isFinite) return err(aborted("not-finite", "training left the finite numbers"));
  if (local.stopped === "signal") return err(aborted("conditions-lost", "stopped before a minibatch"));
  return ok({ kind: "trained", local });
}

function missing(error: EngineMissing): Ending {
  return aborted("engine-missing", error.missing.join(", "));
}
