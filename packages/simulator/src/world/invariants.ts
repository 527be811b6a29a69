import { equalBytes, unreachable, type Bytes } from "@tutti/base";
import type { ModelRow, OpenRoundRow, RoundClosing } from "@tutti/coordinator";
import type { DelayPolicy, LedgerEntry, ParticipationOutcome } from "@tutti/device";
import { canonicalJson, partsOfRound, type AssignmentId, type CheckInAnswer, type RetryWindow } from "@tutti/protocol";
import type { Round, Task, TaskProgress } from "@tutti/rounds";
import { closingMs, wakingMs } from "./limits.ts";
import { choicesOf, roundResultOf, type RoundResult, type SentReport } from "./recomputed-model.ts";

/**
 * All that must hold in every world, each law a function that gives what is broken, in words, or null. The
 * witnesses call them with what really happened: what reached the server whole, what is durable, what
 * was answered. No law asks the coordinator or a device what it believes.
 */
type Fault = string | null;

/** One round as the world saw it. */
export type RoundFacts = {
  readonly row: OpenRoundRow;
  /** The last durable state. */
  state: Round;
  readonly assignments: Map<number, string>;
  readonly departures: Set<number>;
  /** Slot → the different reports that reached the server whole. */
  readonly arrived: Map<number, readonly SentReport[]>;
  /** Slot → when the first of them came. */
  readonly arrivedAtMs: Map<number, number>;
  /** When it was durable that the round takes no more reports. */
  endedAtMs: number | null;
  /** Slot → the report that was answered with a receipt; in memory mode a crash forgets it. */
  readonly acknowledged: Map<number, Bytes>;
  /** Slots whose devices were told that their place is given back. */
  readonly left: Set<number>;
  closing: RoundClosing | null;
  /** Slot → the report that the committed sum holds. */
  counted: ReadonlyMap<number, Bytes>;
};

/** Where a task durably stands. */
export type TaskFacts = { readonly key: Pick<ModelRow, "population" | "task">; readonly task: Task; progress: TaskProgress; readonly models: ModelRow[]; /** Since when it is paused or over, durably; null while it runs. */ restingSinceMs: number | null };

/** A round opens with the next number, from the newest model, alone, and only while its task runs: a pause lets none begin that was not begun. */
export function openingFault(row: OpenRoundRow, { progress, models, restingSinceMs }: TaskFacts, othersOpen: number): Fault {
  if (restingSinceMs !== null && row.openedAt > restingSinceMs) return `round ${row.round} opens while its task is ${progress.phase}`;
  if (othersOpen > 0) return `round ${row.round} opens beside another of its task`;
  if (partsOfRound(row.round).number !== progress.nextRound) return `round ${row.round} opens where ${progress.nextRound} is next`;
  return row.modelVersion === models.length - 1 ? null : `round ${row.round} starts from model ${row.modelVersion}, and the newest is ${models.length - 1}`;
}

/** The progress of a task never goes back, and what is over stays over. */
export function progressFault(before: TaskProgress, after: TaskProgress): Fault {
  const goesBack = after.nextRound < before.nextRound || after.trainRoundsCommitted < before.trainRoundsCommitted || after.step < before.step;
  if (goesBack) return `the progress goes back: ${canonicalJson(before)} to ${canonicalJson(after)}`;
  const isOver = before.phase === "done" || before.phase === "halted";
  return isOver && after.phase !== before.phase ? `a task that was ${before.phase} is ${after.phase}` : null;
}

/** Counts, phases and ids of a closed round agree with each other and with the places that were handed out. */
export function countsFault(facts: RoundFacts, { closed, reports }: RoundClosing): Fault {
  const { assigned, reported, left } = closed.counts;
  const handedOut = facts.assignments.size;
  const phaseSum = Object.values(closed.phases).reduce((sum, count) => sum + count, 0);
  const doneCount = Object.entries(closed.phases).reduce((sum, [phases, count]) => sum + (phases.endsWith(".") ? count : 0), 0);
  if (phaseSum !== handedOut) return `${closed.round}: phases of ${phaseSum} devices, and ${handedOut} had a place`;
  if (assigned < handedOut || reported + left > assigned) return `${closed.round}: counts ${canonicalJson(closed.counts)} for ${handedOut} places`;
  if (doneCount !== reported) return `${closed.round}: ${doneCount} phase strings are done, and ${reported} reported`;
  if (closed.outcome === "abandoned") return reports.length === 0 ? null : `${closed.round} was abandoned and keeps reports`;
  if (reports.length !== reported) return `${closed.round}: ${reports.length} report ids, and ${reported} reported`;
  if (new Set(reports.map(({ slot }) => slot)).size !== reports.length) return `${closed.round} counts a slot twice`;
  const { goalCount, reportingFractionMin } = facts.state.policy;
  return reported >= Math.max(1, reportingFractionMin * goalCount - 1e-9) ? null : `${closed.round} was committed with ${reported} of ${goalCount} reports`;
}

/** Who is in a committed sum held a place, did not give it back and was in time; whoever has a receipt is in it. */
export function membersFault(facts: RoundFacts, { closed, reports }: RoundClosing): Fault {
  if (closed.outcome === "abandoned") return null;
  const slots = new Set(reports.map(({ slot }) => slot));
  const stranger = [...slots].find((slot) => !facts.assignments.has(slot));
  if (stranger !== undefined) return `${closed.round} counts slot ${stranger}, which nobody had`;
  const departed = [...slots].find((slot) => facts.departures.has(slot));
  if (departed !== undefined) return `${closed.round} counts slot ${departed}, which had left`;
  const endedAtMs = facts.endedAtMs ?? Number.POSITIVE_INFINITY;
  const late = [...slots].find((slot) => (facts.arrivedAtMs.get(slot) ?? 0) > endedAtMs);
  if (late !== undefined) return `${closed.round} counts slot ${late}, whose report came after its end`;
  const missing = [...facts.acknowledged.keys()].find((slot) => !slots.has(slot));
  return missing === undefined ? null : `${closed.round} has no report of slot ${missing}, which has a receipt`;
}

/** A committed training round makes the next version, child of the newest; nothing else makes one. */
export function versionFault({ closed, model }: RoundClosing, { models }: TaskFacts): Fault {
  const isDue = closed.outcome === "committed" && closed.kind === "train";
  if (!isDue) return model === null ? null : `${closed.round} (${closed.kind}, ${closed.outcome}) makes a model`;
  if (model === null) return `${closed.round} was committed without a model`;
  const newest = models.length - 1;
  const isNext = model.version === newest + 1 && model.parent === newest && model.round === closed.round;
  return isNext ? null : `${closed.round} makes model ${model.version} of ${model.parent}, after ${newest}`;
}

/**
 * The sum of a committed round is that of its reports as they were sent: some choice of one arrived body
 * per slot gives the very model, bit for bit, and the very metrics. Gives the choice.
 */
export function countedReports(facts: RoundFacts, { closed, reports }: RoundClosing, task: Task, files: { readonly start: Uint8Array | null; readonly parameters: Float32Array | null }): ReadonlyMap<number, Bytes> | string {
  const slots = reports.map(({ slot }) => bodiesOf(facts, slot));
  for (const choice of choicesOf(slots)) {
    const result = roundResultOf(task, choice, facts.state.policy.assignedTarget, files.start);
    if (isSameResult(result, { parameters: files.parameters, metrics: closed.metrics ?? result.metrics })) return new Map(choice.map(({ body }, i) => [reports[i]?.slot ?? -1, body]));
  }
  return `the model or the metrics are not those of its ${reports.length} reports`;
}

function bodiesOf({ arrived, acknowledged }: RoundFacts, slot: number): readonly SentReport[] {
  const bodies = arrived.get(slot) ?? [];
  const receipted = acknowledged.get(slot);
  return receipted === undefined ? bodies : bodies.filter(({ body }) => equalBytes(body, receipted));
}

function isSameResult(a: RoundResult, b: RoundResult): boolean {
  if (canonicalJson(a.metrics) !== canonicalJson(b.metrics)) return false;
  if (a.parameters === null || b.parameters === null) return a.parameters === b.parameters;
  const [bits, others] = [a.parameters, b.parameters].map((parameters) => new Uint32Array(parameters.buffer, parameters.byteOffset, parameters.length));
  return bits !== undefined && others !== undefined && bits.length === others.length && bits.every((word, i) => word === others[i]);
}

/** A report gets a receipt only with its own capability, for a place that it holds, once, and never too late. */
export function receiptFault(facts: RoundFacts | undefined, answered: { readonly slot: number; readonly body: Bytes; readonly wasClosed: boolean; readonly wasDeparted: boolean }): Fault {
  const { slot, body, wasClosed, wasDeparted } = answered;
  if (facts === undefined || !facts.assignments.has(slot)) return `a receipt for slot ${slot}, which nobody has`;
  if (wasDeparted) return `a receipt for slot ${slot} of ${facts.row.round}, which had left before`;
  const earlier = facts.acknowledged.get(slot);
  if (earlier !== undefined && !equalBytes(earlier, body)) return `receipts for two different reports of slot ${slot} of ${facts.row.round}`;
  if (!wasClosed) return null;
  const counted = facts.counted.get(slot);
  return counted !== undefined && equalBytes(counted, body) ? null : `a receipt for slot ${slot}, too late for ${facts.row.round}`;
}

/** A round never waits for a device that left: with nobody outstanding, it closes. @param quietMs since anything that could delay it. */
export function waitingFault({ row, state, assignments, acknowledged, departures, left, closing }: RoundFacts, quietMs: number): Fault {
  if (closing !== null || state.phase !== "reporting" || quietMs < closingMs) return null;
  const outstanding = [...assignments.keys()].filter((slot) => !acknowledged.has(slot) && !departures.has(slot) && !left.has(slot));
  return outstanding.length > 0 ? null : `${row.round} waits, and every device of it has reported or left`;
}

/** Model versions are immutable: what was made stays as it was made. */
export function modelsFault(stored: readonly ModelRow[], { task, models }: TaskFacts): Fault {
  return canonicalJson(stored) === canonicalJson(models) ? null : `the models of ${task.name} were changed: ${canonicalJson(stored)}`;
}

/** A device comes when its moment has come, and neither earlier nor much later. Times are of its own clock. */
export function wakingFault(dueMs: number, came: { readonly atMs: number; readonly startedAtMs: number; readonly isSlow: boolean }): Fault {
  if (came.atMs < dueMs - 1) return `comes ${dueMs - came.atMs} ms before its moment`;
  const late = came.atMs - Math.max(dueMs, came.startedAtMs);
  return late <= wakingMs || came.isSlow ? null : `comes ${late} ms after its moment`;
}

/** The moment that a participation's end gives lies in the window that the server gave for such an end. */
export function momentFault(ending: ParticipationOutcome["ending"], retryAtMs: number, seen: { readonly answer: CheckInAnswer["retry"]; readonly atMs: number }, delays: DelayPolicy): Fault {
  const window = windowFor(ending, seen.answer);
  if (window === null) return null;
  const clamp = (ms: number): number => Math.min(Math.max(ms, delays.delayMsMin), delays.delayMsMax);
  const [earliest, latest] = [seen.atMs + clamp(window.earliestMs), seen.atMs + clamp(Math.max(window.earliestMs, window.latestMs))];
  return retryAtMs >= earliest - 1 && retryAtMs <= latest + 1 ? null : `after ${ending.kind}, comes again at ${retryAtMs}, outside ${earliest} to ${latest}`;
}

function windowFor(ending: ParticipationOutcome["ending"], { accepted, rejected }: CheckInAnswer["retry"]): RetryWindow | null {
  switch (ending.kind) {
    case "done":
      return accepted;
    case "declined":
    case "come-back":
    case "aborted":
      return rejected;
    // Their windows do not come from the check-in.
    case "goal-reached":
    case "failed":
    case "busy":
      return null;
    default:
      return unreachable(ending);
  }
}

/** Before the first byte of a report leaves, the ledger says so, durably; and every try sends the same bytes. */
export function leavingFault(assignment: AssignmentId, body: Bytes, known: { readonly ledger: readonly LedgerEntry[]; readonly earlier: Bytes | undefined }): Fault {
  const entry = known.ledger.find(({ place }) => place?.assignment === assignment);
  if (entry === undefined || !entry.isDisclosed) return `sends a report for ${assignment} that its ledger does not tell of`;
  return known.earlier === undefined || equalBytes(known.earlier, body) ? null : `sends two different reports for ${assignment}`;
}

/** A ledger at rest: every participation has its end, and tells of a report exactly where one may have left. */
export function ledgerFault(ledger: readonly LedgerEntry[], seen: { readonly sent: ReadonlySet<string>; readonly interrupted: ReadonlySet<string> }): Fault {
  for (const { id, end, place, isDisclosed } of ledger) {
    if (end === null) return `entry ${id} of its ledger has no end`;
    const name = place?.assignment ?? "";
    const mayHaveLeft = seen.sent.has(name) || (end.ending.kind === "aborted" || seen.interrupted.has(name));
    if (isDisclosed && !mayHaveLeft) return `entry ${id} tells of a report that never left`;
    if (!isDisclosed && seen.sent.has(name)) return `entry ${id} does not tell of a report that left`;
    if (end.ending.kind === "done" && !seen.sent.has(name)) return `entry ${id} has a receipt and no report`;
  }
  return null;
}
