import { err, ok, textFromUtf8, type Bytes, type Result } from "@tutti/base";
import { decodeLocalTraining, decodeModel, layoutOf, type LocalTraining, type Model, type ParameterLayout } from "@tutti/engine";
import { canonicalJson, decodeJson, planHashSignatureBytes, PlanSchema, type Assigned, type Plan, type TaskOffer } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { aborted, type Ending } from "./ending.ts";
import { isSignedBy } from "./receipt.ts";

/** A plan that this device may follow: signed, as offered, and understood to the last field. */
export type AcceptedPlan = { readonly plan: Plan; readonly model: Model; readonly layout: ParameterLayout; readonly training: LocalTraining };

/** Judges the plan's bytes, whose hash was checked; a plan that is not what was offered is refused. */
export async function acceptPlan(context: DeviceContext, bytes: Bytes, assigned: Assigned, offer: TaskOffer): Promise<Result<AcceptedPlan, Ending>> {
  const signed = { signature: assigned.planSignature, bytes: planHashSignatureBytes(await context.platform.crypto.sha256(bytes)) };
  if (!(await isSignedBy(context, context.keys.plan, signed))) return refused("the plan's signature does not verify");
  const text = textFromUtf8(bytes);
  if (!text.ok) return refused("the plan is not UTF-8");
  const plan = decodeJson(PlanSchema, text.value);
  if (!plan.ok) return refused(`the plan's ${plan.error.path}: ${plan.error.expected}`);
  const difference = differenceFromOffer(plan.value, { population: context.population, offer, assigned });
  return difference === null ? understood(plan.value) : refused(`the plan's ${difference} is not what was offered`);
}

type Offered = { readonly population: string; readonly offer: TaskOffer; readonly assigned: Pick<Assigned, "assignment" | "model"> };

/** The first field in which the signed plan is not what the check-in and the assignment said, or null. */
function differenceFromOffer(plan: Plan, { population, offer, assigned }: Offered): string | null {
  if (plan.population !== population) return "population";
  if (plan.task !== offer.task) return "task";
  if (plan.kind !== offer.kind) return "kind";
  if (!assigned.assignment.startsWith(`${plan.population}.${plan.task}.${plan.round}.`)) return "round";
  if (plan.modelHash !== assigned.model.hash) return "modelHash";
  if (canonicalJson(plan.data) !== canonicalJson(offer.data)) return "data";
  if (canonicalJson(plan.eligibility) !== canonicalJson(offer.eligibility)) return "eligibility";
  if (isWeaker(plan.sum, offer.sum)) return "sum";
  return plan.step < offer.step ? "step" : null;
}

/** A weaker sum shows more of one device: a larger bound, a larger weight, or another reason for being plain. */
function isWeaker(sum: Plan["sum"], offered: Plan["sum"]): boolean {
  return sum.kind !== offered.kind || sum.because !== offered.because || sum.clipNorm > offered.clipNorm || sum.weightMax > offered.weightMax;
}

function understood(plan: Plan): Result<AcceptedPlan, Ending> {
  const model = decodeModel(plan.model);
  if (!model.ok) return refused(`the plan's model${model.error.path}: ${model.error.expected}`);
  const training = decodeLocalTraining(plan.job);
  if (!training.ok) return refused(`the plan's job${training.error.path}: ${training.error.expected}`);
  // The device keeps no layers between participations, and a report moves all parameters.
  if (training.value.frozen.length + training.value.personal.length > 0) return refused("the plan's job keeps layers out of the report");
  const layout = layoutOf(model.value);
  if (layout.parameterCount !== plan.parameterCount) return refused("the plan's parameterCount is not its model's");
  return ok({ plan, model: model.value, layout, training: training.value });
}

function refused(detail: string): { readonly ok: false; readonly error: Ending } {
  return err(aborted("plan-refused", detail));
}
