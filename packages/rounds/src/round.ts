import { addDuration, assert, unreachable, type DurationMs, type InstantMs } from "@tutti/base";
import { roundedUp } from "./rounded-up.ts";

/** What a round needs and how long it waits: the operator's, never sent to a device. */
export type RoundPolicy = {
  /** Reports with which the round is complete. */
  readonly goalCount: number;
  /** Places, at least `goalCount`: how many devices hold one at the same time (over-selection). */
  readonly assignedTarget: number;
  readonly selectionWindowMs: DurationMs;
  /** Part of `assignedTarget` that must hold a place when the selection window ends; in 0..1. */
  readonly selectionFractionMin: number;
  readonly reportingWindowMs: DurationMs;
  /** Part of `goalCount` with which the round counts when no more reports can come; in 0..1. */
  readonly reportingFractionMin: number;
};

/** Devices of a round so far. `left` gave their place back; the others without a report are outstanding. */
export type RoundCounts = { readonly assigned: number; readonly reported: number; readonly left: number };

export type AbandonReason = "too-few-devices" | "too-few-reports" | "sum-failed" | "task-stopped";

export type Round =
  | { readonly phase: "selecting"; readonly policy: RoundPolicy; readonly counts: RoundCounts; readonly deadline: InstantMs }
  | { readonly phase: "reporting"; readonly policy: RoundPolicy; readonly counts: RoundCounts; readonly deadline: InstantMs }
  | { readonly phase: "committing"; readonly policy: RoundPolicy; readonly counts: RoundCounts }
  | { readonly phase: "committed"; readonly policy: RoundPolicy; readonly counts: RoundCounts }
  | { readonly phase: "abandoned"; readonly policy: RoundPolicy; readonly counts: RoundCounts; readonly reason: AbandonReason };

export type RoundEvent =
  | { readonly kind: "devices-assigned"; readonly at: InstantMs; readonly deviceCount: number }
  /** The report is in the durable sum. */
  | { readonly kind: "report-added"; readonly at: InstantMs }
  | { readonly kind: "device-left"; readonly at: InstantMs }
  | { readonly kind: "time-passed"; readonly at: InstantMs }
  | { readonly kind: "sum-committed" }
  | { readonly kind: "sum-failed" }
  | { readonly kind: "task-stopped" };

export type RoundEffect = { readonly kind: "commit" } | { readonly kind: "discard-sum"; readonly reason: AbandonReason };

export type RoundStep = { readonly round: Round; readonly effects: readonly RoundEffect[] };

type Open = Extract<Round, { phase: "selecting" | "reporting" }>;
type Selecting = Extract<Round, { phase: "selecting" }>;
type Reporting = Extract<Round, { phase: "reporting" }>;

/** A round that hands out places from now on. */
export function openRound(policy: RoundPolicy, at: InstantMs): Round {
  assert(Number.isSafeInteger(policy.goalCount) && policy.goalCount >= 1, "a round wants at least one report");
  assert(Number.isSafeInteger(policy.assignedTarget) && policy.assignedTarget >= policy.goalCount, "a round has a place for every report that it wants");
  assert(isFraction(policy.selectionFractionMin) && isFraction(policy.reportingFractionMin), "a minimal fraction lies in 0..1");
  return { phase: "selecting", policy, counts: { assigned: 0, reported: 0, left: 0 }, deadline: addDuration(at, policy.selectionWindowMs) };
}

/**
 * The only place where a round changes. Pure: same round, same event, same step.
 *
 * selecting → reporting when every place is held, or at the deadline when enough are; else abandoned.
 * A device that leaves while the round is selecting frees its place, so `assigned − left` is compared
 * with the target, and `assigned` may grow beyond it. selecting | reporting → committing as soon as the
 * goal is reached. Reporting ends at its deadline, or earlier when no device is outstanding: a round
 * never waits for one that left. It commits with the minimal fraction of its goal (at least one
 * report), and is abandoned below it.
 *
 * A closed round (committing, committed, abandoned) counts nothing more, and its one effect is not repeated.
 */
export function stepRound(round: Round, event: RoundEvent): RoundStep {
  switch (round.phase) {
    case "selecting":
    case "reporting":
      return stepOpen(round, event);
    case "committing":
      return stepCommitting(round, event);
    case "committed":
    case "abandoned":
      return { round, effects: [] };
    default:
      return unreachable(round);
  }
}

/** Places that may be handed out now; 0 unless the round is selecting. */
export function freePlaces(round: Round): number {
  return round.phase === "selecting" ? Math.max(0, round.policy.assignedTarget - heldPlaces(round.counts)) : 0;
}

/** Whether a report that comes now would count. */
export function acceptsReports(round: Round): boolean {
  return round.phase === "selecting" || round.phase === "reporting";
}

/** When the round wants a `time-passed` next; undefined where it waits for no moment. */
export function nextDeadline(round: Round): InstantMs | undefined {
  return round.phase === "selecting" || round.phase === "reporting" ? round.deadline : undefined;
}

function stepOpen(round: Open, event: RoundEvent): RoundStep {
  switch (event.kind) {
    case "devices-assigned":
      // More than the free places is no fault: after a crash the shell tells of all slots at once, of
      // those that were given back in between too.
      assert(Number.isSafeInteger(event.deviceCount) && event.deviceCount >= 1, "an assignment gives a place to at least one device");
      return settle(counted(round, { assigned: event.deviceCount }), event.at);
    case "report-added":
      assert(outstandingCount(round.counts) >= 1, "a report comes from a device that holds a place and has not reported");
      return settle(counted(round, { reported: 1 }), event.at);
    case "device-left":
      assert(outstandingCount(round.counts) >= 1, "a device leaves once, before its report");
      return settle(counted(round, { left: 1 }), event.at);
    case "time-passed":
      return event.at < round.deadline ? { round, effects: [] } : endWindow(round, event.at);
    case "sum-failed":
    case "task-stopped":
      return abandon(round, event.kind);
    case "sum-committed":
      assert(false, "only a round that is committing is committed");
      return { round, effects: [] };
    default:
      return unreachable(event);
  }
}

/** The commit is under way: a stop of the task comes too late, and counts no longer matter. */
function stepCommitting(round: Extract<Round, { phase: "committing" }>, event: RoundEvent): RoundStep {
  if (event.kind === "sum-committed") return { round: { ...round, phase: "committed" }, effects: [] };
  return event.kind === "sum-failed" ? abandon(round, "sum-failed") : { round, effects: [] };
}

/** The phase that fits the counts. */
function settle(round: Open, at: InstantMs): RoundStep {
  if (round.counts.reported >= round.policy.goalCount) return commit(round);
  if (round.phase === "reporting") return outstandingCount(round.counts) === 0 ? endReporting(round) : { round, effects: [] };
  return heldPlaces(round.counts) >= round.policy.assignedTarget ? startReporting(round, at) : { round, effects: [] };
}

function endWindow(round: Open, at: InstantMs): RoundStep {
  if (round.phase === "reporting") return endReporting(round);
  const { assignedTarget, selectionFractionMin } = round.policy;
  return heldPlaces(round.counts) >= leastCount(selectionFractionMin, assignedTarget) ? startReporting(round, at) : abandon(round, "too-few-devices");
}

function startReporting(round: Selecting, at: InstantMs): RoundStep {
  const { policy, counts } = round;
  return settle({ phase: "reporting", policy, counts, deadline: addDuration(at, policy.reportingWindowMs) }, at);
}

function endReporting(round: Reporting): RoundStep {
  const { goalCount, reportingFractionMin } = round.policy;
  return round.counts.reported >= leastCount(reportingFractionMin, goalCount) ? commit(round) : abandon(round, "too-few-reports");
}

function commit({ policy, counts }: Open): RoundStep {
  return { round: { phase: "committing", policy, counts }, effects: [{ kind: "commit" }] };
}

function abandon({ policy, counts }: Round, reason: AbandonReason): RoundStep {
  return { round: { phase: "abandoned", policy, counts, reason }, effects: [{ kind: "discard-sum", reason }] };
}

function counted<R extends Open>(round: R, more: Partial<RoundCounts>): R {
  const { assigned, reported, left } = round.counts;
  return { ...round, counts: { assigned: assigned + (more.assigned ?? 0), reported: reported + (more.reported ?? 0), left: left + (more.left ?? 0) } };
}

/** Devices from which a report may still come. */
function outstandingCount({ assigned, reported, left }: RoundCounts): number {
  return assigned - reported - left;
}

/** Places that are taken: by devices at work, and by those that have reported. */
function heldPlaces({ assigned, left }: RoundCounts): number {
  return assigned - left;
}

/** ⌈fraction · count⌉, at least 1: a round of nobody is none, and a sum of nothing has no mean. */
function leastCount(fraction: number, count: number): number {
  return Math.max(1, roundedUp(fraction, count));
}

function isFraction(value: number): boolean {
  return value >= 0 && value <= 1;
}
