import { assert, durationMs, type DurationMs } from "@tutti/base";
import { retryWindowMsMax, type RetryWindow } from "@tutti/protocol";
import { alignedSpread, idleCheckInsPerSecondMax, idleRetryMs, retryWindowMsMin, smallPopulationRounds } from "./limits.ts";

/** What pacing knows of one running task. */
export type PacedTask = {
  /** Devices that each of its rounds takes. */
  readonly assignedTarget: number;
  /** From the opening of a round to the opening of the next: measured (`FleetEstimate.roundMs`), or its two windows. */
  readonly roundMs: DurationMs;
  /** From now until its next round is expected to open. */
  readonly nextOpensMs: DurationMs;
};

/** What pacing knows of a population. */
export type PopulationView = {
  /** Devices that are believed to check in, at least 0 (`populationFromArrivals`). */
  readonly populationCount: number;
  /** Its running tasks; none where all are paused or done. */
  readonly tasks: readonly PacedTask[];
};

/** When to come again: after taking part, and after getting no place. */
export type RetryWindows = { readonly accepted: RetryWindow; readonly rejected: RetryWindow };

/**
 * Pace steering (Bonawitz et al. 2019, section 2.3). A small population is aligned to the start of the
 * next round, so that enough devices come together. A large one is spread at random around
 * population / (devices needed per second), so that no more come than the rounds take; a device that
 * takes part is busy for a round first. Without a task devices come rarely, a large population more so.
 */
export function retryWindows(view: PopulationView): RetryWindows {
  assert(view.populationCount >= 0 && Number.isFinite(view.populationCount), "a population is estimated as a finite count");
  const [first, ...others] = view.tasks;
  if (first === undefined) return sameForBoth(spreadAround(idleCentre(view.populationCount)));
  const next = others.reduce((soonest, task) => (task.nextOpensMs < soonest.nextOpensMs ? task : soonest), first);
  return isSmall(view) ? alignedTo(next) : spreadOver(view, next.roundMs);
}

/**
 * Devices of a population from how often they come: n devices that each wait `meanWaitMs` between two
 * check-ins cause n / meanWait of them. @param meanWaitMs the middle of the windows that were handed out.
 */
export function populationFromArrivals(options: { readonly checkInsPerSecond: number; readonly meanWaitMs: DurationMs }): number {
  return (options.checkInsPerSecond * options.meanWaitMs) / 1000;
}

/** The middle of a retry window: the mean wait of the devices that draw in it. */
export function meanWaitOf({ earliestMs, latestMs }: RetryWindow): DurationMs {
  return durationMs((earliestMs + latestMs) / 2);
}

function isSmall({ populationCount, tasks }: PopulationView): boolean {
  return populationCount <= smallPopulationRounds * tasks.reduce((sum, task) => sum + task.assignedTarget, 0);
}

function alignedTo({ roundMs, nextOpensMs }: PacedTask): RetryWindows {
  return sameForBoth(windowOf(nextOpensMs, nextOpensMs + alignedSpread * roundMs));
}

function spreadOver({ populationCount, tasks }: PopulationView, roundMs: DurationMs): RetryWindows {
  const neededPerMs = tasks.reduce((sum, task) => sum + task.assignedTarget / Math.max(1, task.roundMs), 0);
  const rejected = spreadAround(populationCount / neededPerMs);
  return { accepted: windowOf(rejected.earliestMs + roundMs, rejected.latestMs + roundMs), rejected };
}

function idleCentre(populationCount: number): number {
  return Math.max(idleRetryMs, (1000 * populationCount) / idleCheckInsPerSecondMax);
}

/** Half of `centreMs` to either side: its mean is the centre, and the devices stay mixed. */
function spreadAround(centreMs: number): RetryWindow {
  const centre = Math.min(centreMs, retryWindowMsMax / 1.5);
  return windowOf(0.5 * centre, 1.5 * centre);
}

/** A window inside the protocol's limits and never narrower than the least. */
function windowOf(earliestMs: number, latestMs: number): RetryWindow {
  const earliest = Math.min(earliestMs, retryWindowMsMax - retryWindowMsMin);
  return { earliestMs: earliest, latestMs: Math.min(retryWindowMsMax, Math.max(latestMs, earliest + retryWindowMsMin)) };
}

function sameForBoth(window: RetryWindow): RetryWindows {
  return { accepted: window, rejected: window };
}
