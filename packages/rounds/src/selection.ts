import { assert, durationMs, type DurationMs } from "@tutti/base";
import {
  adaptiveReportingWindowMsMin, firstOverSelection, firstReportingWindowMs, observationDecay, observedDevicesMin, overSelectionMax,
  overSelectionMin, windowMsMax,
} from "./limits.ts";
import type { RoundCounts } from "./round.ts";
import { roundedUp } from "./rounded-up.ts";

/** What the rounds of a task have taught about its devices: sums with exponential forgetting, plain data. */
export type FleetEstimate = {
  /** Devices that are known to have dropped out, and those that reported; decayed counts. */
  readonly droppedCount: number;
  readonly reportedCount: number;
  /** 90th percentile of the time from assignment to report; null before it was measured. */
  readonly deviceTimeP90Ms: DurationMs | null;
  /** From a round's opening to its end; null before the first end. */
  readonly roundMs: DurationMs | null;
};

/** How a round ended, as far as selection learns from it. */
export type RoundObservation = {
  readonly goalCount: number;
  readonly counts: RoundCounts;
  readonly durationMs: DurationMs;
  /** Null where the shell did not measure it. */
  readonly deviceTimeP90Ms: DurationMs | null;
};

export function openFleetEstimate(): FleetEstimate {
  return { droppedCount: 0, reportedCount: 0, deviceTimeP90Ms: null, roundMs: null };
}

/**
 * The estimate after one more round. A device that left has dropped out; one that is outstanding has
 * done so only when the round waited for it in vain: a round that reached its goal ended without
 * asking, and counting its surplus as dropout would confirm any over-selection by itself.
 */
export function observeRound(estimate: FleetEstimate, { goalCount, counts, durationMs: lasted, deviceTimeP90Ms }: RoundObservation): FleetEstimate {
  const outstandingCount = Math.max(0, counts.assigned - counts.left - counts.reported);
  const dropped = counts.left + (counts.reported < goalCount ? outstandingCount : 0);
  return {
    droppedCount: observationDecay * estimate.droppedCount + dropped,
    reportedCount: observationDecay * estimate.reportedCount + counts.reported,
    deviceTimeP90Ms: smoothed(estimate.deviceTimeP90Ms, deviceTimeP90Ms),
    roundMs: smoothed(estimate.roundMs, lasted),
  };
}

/** Part of the devices that drop out, in 0..1; undefined until enough were seen. */
export function dropoutOf({ droppedCount, reportedCount }: FleetEstimate): number | undefined {
  const seenCount = droppedCount + reportedCount;
  return seenCount < observedDevicesMin ? undefined : droppedCount / seenCount;
}

/**
 * Places of a round that wants `goalCount` reports. A number is the operator's fixed factor. Adaptive:
 * 1.3 · goal at first, then goal/(1−p) + 2 sd at the measured dropout p, in 1.1..1.6 · goal. sd is the
 * standard deviation of how many of goal/(1−p) devices drop out, √(goal · p).
 */
export function assignedTargetOf(goalCount: number, overSelection: number | "adaptive", estimate: FleetEstimate): number {
  assert(Number.isSafeInteger(goalCount) && goalCount >= 1, "a round wants at least one report");
  const factor = overSelection === "adaptive" ? adaptiveFactor(goalCount, dropoutOf(estimate)) : overSelection;
  return Math.max(goalCount, roundedUp(factor, goalCount));
}

/** The operator's reporting window; adaptive: max(2 × p90 of device time, 30 s), ten minutes before the first measurement. */
export function reportingWindowOf(reportingWindowMs: DurationMs | "adaptive", { deviceTimeP90Ms }: FleetEstimate): DurationMs {
  if (reportingWindowMs !== "adaptive") return reportingWindowMs;
  if (deviceTimeP90Ms === null) return durationMs(firstReportingWindowMs);
  return durationMs(Math.min(windowMsMax, Math.max(2 * deviceTimeP90Ms, adaptiveReportingWindowMsMin)));
}

/** 90th percentile of `times` by nearest rank; null for none. */
export function p90Of(times: readonly DurationMs[]): DurationMs | null {
  const ordered = times.toSorted((a, b) => a - b);
  return ordered[Math.ceil(0.9 * ordered.length) - 1] ?? null;
}

function adaptiveFactor(goalCount: number, dropout: number | undefined): number {
  if (dropout === undefined) return firstOverSelection;
  // p = 1 would divide by zero; any p beyond the clamp gives the clamp.
  const kept = Math.max(1 - dropout, 1 / (2 * overSelectionMax));
  const wanted = goalCount / kept + 2 * Math.sqrt(goalCount * dropout);
  return Math.min(overSelectionMax, Math.max(overSelectionMin, wanted / goalCount));
}

function smoothed(before: DurationMs | null, now: DurationMs | null): DurationMs | null {
  if (before === null || now === null) return now ?? before;
  return durationMs(observationDecay * before + (1 - observationDecay) * now);
}
