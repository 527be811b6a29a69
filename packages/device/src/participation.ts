import { addDuration, durationMs, err, ok, type Result } from "@tutti/base";
import { decodeModelFile } from "@tutti/learning";
import { planBytesMax, safetensorsHeaderBytesMax, safetensorsPrefixBytes, type Assigned, type CheckInAnswer, type TaskOffer } from "@tutti/protocol";
import { askForAssignment, assignmentRequest } from "./assignment.ts";
import { checkIn } from "./check-in.ts";
import { download } from "./download.ts";
import { drawUniform } from "./draw.ts";
import { ineligibility, type CohortChoice, type Demands, type Ineligible } from "./eligibility.ts";
import { aborted, type Declined, type Ending } from "./ending.ts";
import type { ExampleStore } from "./example-store.ts";
import { putNextMoment } from "./next-moment.ts";
import { countParticipation, readCount } from "./participation-count.ts";
import { putParticipation, reportBytesKey, type Begun, type PendingReport, type Place } from "./participation-record.ts";
import { inPlace, type Holder } from "./place.ts";
import { acceptPlan, type AcceptedPlan } from "./plan-check.ts";
import { protect, type ReportFile } from "./protect.ts";
import { drawMoment, type RetryMoments } from "./retry-moment.ts";
import { train } from "./train.ts";
import { askBeforeUpload, upload } from "./upload.ts";

/** What one participation works with. */
export type Walk = Holder & { readonly examples: ExampleStore; readonly cohort: CohortChoice };

/** How a participation ended; its moments are null where no check-in was answered. */
export type Walked = { readonly ending: Ending; readonly moments: RetryMoments | null };

/** The walk, from check-in to receipt. Every stop is a call into the file of the same noun. */
export async function participate(walk: Walk): Promise<Walked> {
  const { context, ledger, signal } = walk;
  const checkedIn = await checkIn(context, signal);
  if (!checkedIn.ok) return { ending: checkedIn.error, moments: null };
  const moments = drawMoments(walk, checkedIn.value.retry);
  ledger.reached("checkedIn");

  const { chosen, declined } = await firstEligible(walk, checkedIn.value.tasks);
  ledger.weighed({ offered: checkedIn.value.tasks.map(({ task }) => task), declined });
  if (chosen === null) return { ending: { kind: "declined" }, moments };
  const request = assignmentRequest(context, chosen.task);
  const begun = { entryId: ledger.entry.id, moments };
  await ledger.write({}, [putNextMoment(moments.rejected), putParticipation({ stage: "asking", ...begun, request })]);
  const answer = await askForAssignment(context, request, signal);
  if (!answer.ok) return { ending: answer.error, moments };
  if (answer.value.kind === "come-back") return { ending: { kind: "come-back" }, moments };
  return { ending: await takePlace(walk, chosen, begun, answer.value), moments };
}

/** Both moments of a check-in, drawn as soon as their windows arrive. */
function drawMoments({ context }: Walk, retry: CheckInAnswer["retry"]): RetryMoments {
  const { clock, random } = context.platform;
  const draw = () => ({ now: clock.now(), uniform: drawUniform(random), delays: context.policy.delays });
  return { accepted: drawMoment(retry.accepted, draw()), rejected: drawMoment(retry.rejected, draw()) };
}

async function takePlace(walk: Walk, offer: TaskOffer, begun: Begun, assigned: Assigned): Promise<Ending> {
  const { context, ledger } = walk;
  const deadlineAtMs = addDuration(context.platform.clock.now(), durationMs(assigned.reportDeadlineMs));
  const place = { ...begun, assigned, deadlineAtMs, eligibility: offer.eligibility };
  await ledger.write({ place: { task: offer.task, assignment: assigned.assignment, planHash: assigned.plan.hash } }, [putParticipation({ stage: "working", ...place })]);
  return inPlace(walk, place, (watched) => workAndReport(walk, offer, place, watched));
}

async function workAndReport(walk: Walk, offer: TaskOffer, place: Place, watched: AbortSignal): Promise<Ending> {
  const { context, ledger } = walk;
  const { assigned } = place;
  const planBlob = await download(context, assigned.plan, planBytesMax, watched);
  if (!planBlob.ok) return planBlob.error;
  const accepted = await acceptPlan(context, planBlob.value, assigned, offer);
  if (!accepted.ok) return accepted.error;
  const { plan, layout } = accepted.value;
  const against = await reasonAgainst(walk, plan);
  if (against !== null) return aborted("not-eligible", against);

  const modelBlob = await download(context, assigned.model, 4 * layout.parameterCount + safetensorsHeaderBytesMax + safetensorsPrefixBytes, watched);
  if (!modelBlob.ok) return modelBlob.error;
  const parameters = decodeModelFile(modelBlob.value, layout);
  if (!parameters.ok) return aborted("plan-refused", `the model's ${parameters.error.path}: ${parameters.error.expected}`);
  ledger.reached("downloaded");

  const report = await makeReport(walk, accepted.value, { place, parameters: parameters.value, watched });
  return report.ok ? sendReport(walk, report.value.pending, report.value.file, watched) : report.error;
}

type Work = { readonly place: Place; readonly parameters: Float32Array<ArrayBuffer>; readonly watched: AbortSignal };

/** Train and protect; the report is durable before a byte of it is sent, so that every try sends the same one. */
async function makeReport(walk: Walk, accepted: AcceptedPlan, { place, parameters, watched }: Work): Promise<Result<{ readonly pending: PendingReport; readonly file: ReportFile }, Ending>> {
  const { context, ledger } = walk;
  const { plan } = accepted;
  const examples = await walk.examples.read(plan.data);
  if (examples === null || examples.exampleCount < plan.data.examplesMin) return err(aborted("not-eligible", "too-few-examples"));
  ledger.reached("training");
  const trained = await train(context, accepted, { parameters, examples }, watched);
  if (!trained.ok) return trained;
  if (watched.aborted) return err(aborted("conditions-lost", "interrupted"));
  ledger.reached("trained");

  ledger.reached("uploading");
  const { phases } = ledger.entry;
  const file = protect(trained.value, plan, { assignment: place.assigned.assignment, phases });
  const pending: PendingReport = { ...place, modelHash: plan.modelHash, task: plan.task, step: plan.step, phases };
  await ledger.write({}, [
    { kind: "put-bytes", key: reportBytesKey, bytes: file },
    putParticipation({ stage: "reporting", ...pending }),
  ]);
  return ok({ pending, file });
}

/** Ask, upload, receipt: also the whole way of a report that a restart found unsent. */
export async function sendReport({ context, ledger }: Holder, pending: PendingReport, file: ReportFile, watched: AbortSignal): Promise<Ending> {
  const begun = await askBeforeUpload(context, pending, file, watched);
  if (!begun.ok) return begun.error;
  if (begun.value.kind === "goal-reached") return begun.value;
  if (watched.aborted) return aborted("conditions-lost", "interrupted");
  if (!ledger.entry.isDisclosed) await ledger.write({ isDisclosed: true }, [await countParticipation(context.platform.store, pending)]);
  const receipt = await upload(context, pending, file, watched);
  return receipt.ok ? { kind: "done", receipt: receipt.value } : receipt.error;
}

/** The first offer that this device takes, and those that it declines before. */
async function firstEligible(walk: Walk, offers: readonly TaskOffer[]): Promise<{ readonly chosen: TaskOffer | null; readonly declined: readonly Declined[] }> {
  const declined: Declined[] = [];
  for (const offer of offers) {
    const reason = await reasonAgainst(walk, offer);
    if (reason === null) return { chosen: offer, declined };
    declined.push({ task: offer.task, reason });
  }
  return { chosen: null, declined };
}

async function reasonAgainst(walk: Walk, demands: Demands & Pick<TaskOffer, "task">): Promise<Ineligible | null> {
  const { policy, platform } = walk.context;
  const count = await readCount(platform.store, demands.task);
  return ineligibility(demands, {
    policy,
    conditions: platform.conditions.current(),
    cohort: walk.cohort,
    exampleCount: await walk.examples.count(demands.data),
    memoryBytesMax: platform.trainer.memoryBytesMax,
    lastStep: count?.lastStep ?? null,
  });
}
