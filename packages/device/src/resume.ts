import { addDuration, durationMs } from "@tutti/base";
import { giveUp } from "./abort.ts";
import { askForAssignment } from "./assignment.ts";
import { aborted, type Ending } from "./ending.ts";
import { reportBytesKey, type ParticipationRecord, type Place } from "./participation-record.ts";
import { sendReport } from "./participation.ts";
import { inPlace, type Holder } from "./place.ts";
import { reportFile } from "./protect.ts";

/**
 * Ends what a crash left: a report that may have been sent is sent again byte for byte; a place
 * without a report is given back. The ledger says which.
 */
export async function resume(holder: Holder, left: ParticipationRecord): Promise<Ending> {
  const { context, ledger, signal } = holder;
  const { phases } = ledger.entry;
  if (left.stage === "asking") {
    // The same request gets the same place: only so can the device know that it has one to give back.
    const answer = await askForAssignment(context, left.request, signal);
    if (answer.ok && answer.value.kind === "assigned") await giveUp(context, answer.value, { reason: "shutting-down", phases });
    return restarted;
  }
  if (isLate(holder, left)) {
    await giveUp(context, left.assigned, { reason: "deadline-passed", phases });
    return aborted("deadline-passed", "the device restarted after the deadline");
  }
  return inPlace(holder, left, async (watched) => {
    const bytes = left.stage === "reporting" ? await context.platform.store.bytes(reportBytesKey) : undefined;
    return left.stage === "reporting" && bytes !== undefined ? sendReport(holder, left, reportFile(bytes), watched) : restarted;
  });
}

const restarted = aborted("shutting-down", "the device restarted");

/** A deadline further away than it can be was stored under another clock setting: nobody knows when it is. */
function isLate({ context }: Holder, { deadlineAtMs, assigned }: Place): boolean {
  const now = context.platform.clock.now();
  return deadlineAtMs <= now || deadlineAtMs > addDuration(now, durationMs(assigned.reportDeadlineMs));
}
