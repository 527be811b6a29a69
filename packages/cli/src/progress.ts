import { unreachable, type InstantMs } from "@tutti/base";
import type { CoordinatorEvent } from "@tutti/coordinator";
import { measured, measuredText, type Measured } from "./metric.ts";

/** What the progress shows beside the coordinator's own events: a demo knows which of its devices it took away. */
export type ProgressEvent = CoordinatorEvent | { readonly kind: "device-vanished"; readonly round: number; readonly step: string };

type OpenRound = {
  readonly round: number;
  readonly isTraining: boolean;
  readonly phase: string;
  readonly goalCount: number;
  readonly assigned: number;
  readonly reported: number;
  readonly vanished: number;
};

/** How far a task has come, as far as its events tell. */
export type Progress = {
  /** Training rounds after which it stops at the latest; undefined where no rule says so. */
  readonly roundsMax: number | undefined;
  readonly startedAt: InstantMs;
  readonly trainRoundsCommitted: number;
  readonly open: OpenRound | undefined;
  /** The newest figure of the devices that never train. */
  readonly heldOut: Measured | undefined;
};

export function openProgress(start: { readonly roundsMax: number | undefined; readonly startedAt: InstantMs }): Progress {
  return { ...start, trainRoundsCommitted: 0, open: undefined, heldOut: undefined };
}

/** The progress after `event`. Pure. */
export function stepProgress(progress: Progress, event: ProgressEvent): Progress {
  switch (event.kind) {
    case "round-opened": {
      const { round, roundKind, goalCount } = event;
      return { ...progress, open: { round, isTraining: roundKind === "train", phase: "selecting", goalCount, assigned: 0, reported: 0, vanished: 0 } };
    }
    case "round-progress": {
      const { phase, counts } = event;
      return progress.open === undefined ? progress : { ...progress, open: { ...progress.open, phase, assigned: counts.assigned, reported: counts.reported } };
    }
    case "device-vanished": {
      const { open } = progress;
      if (open?.round !== event.round) return progress;
      return { ...progress, open: { ...open, vanished: open.vanished + 1 } };
    }
    case "round-committed": {
      if (event.roundKind === "train") return { ...progress, open: undefined, trainRoundsCommitted: progress.trainRoundsCommitted + 1 };
      return { ...progress, open: undefined, heldOut: measured(event.metrics) ?? progress.heldOut };
    }
    case "round-abandoned":
      return { ...progress, open: undefined };
    case "task-stopped":
    case "world-failed":
    case "request-failed":
      return progress;
    default:
      return unreachable(event);
  }
}

/** The line that stays for `event`, or undefined where nothing worth a line happened. `before` is the progress before it. */
export function plainLine(before: Progress, event: ProgressEvent): string | undefined {
  switch (event.kind) {
    case "round-committed": {
      const { assigned, reported } = event.counts;
      const value = measuredText(measured(event.metrics));
      const took = `${(event.durationMs / 1000).toFixed(1)} s`;
      if (event.roundKind === "evaluate") return `round ${event.round}  evaluated by ${devices(reported)} that never train: ${value} (${took})`;
      const vanished = before.open?.vanished ?? 0;
      const lost = `${assigned - reported} did not${vanished === 0 ? "" : `, ${vanished} of them vanished`}`;
      return `round ${event.round}  trained: of ${devices(assigned)} ${reported} reported, ${lost}; in training ${value} (${took})`;
    }
    case "round-abandoned":
      return `round ${event.round}  abandoned: ${event.reason}, ${event.counts.reported} of ${devices(event.counts.assigned)} reported; the model is unchanged`;
    case "task-stopped":
      return `stopped by the rule "${event.stoppedBy}" after ${event.rounds} training rounds, model version ${event.modelVersion}`;
    case "world-failed":
      return `trouble: ${event.cause}; tried again in ${(event.retryMs / 1000).toFixed(0)} s`;
    case "request-failed":
      return `trouble in a request: ${event.cause}`;
    case "round-opened":
    case "round-progress":
    case "device-vanished":
      return undefined;
    default:
      return unreachable(event);
  }
}

/** The one line that a terminal draws over and over: round, participants, drop-outs, accuracy, time left. */
export function liveLine(progress: Progress, now: InstantMs, columnCount: number): string {
  const { open, heldOut } = progress;
  const of = progress.roundsMax === undefined ? "" : `/${progress.roundsMax}`;
  const parts = [
    `trained ${progress.trainRoundsCommitted}${of}`,
    ...(open === undefined ? [] : [openText(open)]),
    ...(heldOut === undefined ? [] : [`${measuredText(heldOut)} on the unseen`]),
    ...timeLeftText(progress, now),
  ];
  return parts.join(" · ").slice(0, Math.max(0, columnCount - 1));
}

/** The object of one line of `--json`: the event itself, with what its sums measure. */
export function progressObject(event: ProgressEvent): Readonly<Record<string, unknown>> {
  if (event.kind !== "round-committed") return event;
  return { ...event, measured: measured(event.metrics) ?? null };
}

function openText({ round, isTraining, assigned, reported, goalCount, vanished }: OpenRound): string {
  const lost = vanished === 0 ? "" : `, ${vanished} vanished`;
  return `round ${round} ${isTraining ? "training" : "evaluating"}: ${assigned} assigned, ${reported} of ${goalCount} reported${lost}`;
}

/** By the rounds' mean length so far; a target or patience may stop it earlier. */
function timeLeftText({ roundsMax, trainRoundsCommitted, startedAt }: Progress, now: InstantMs): readonly string[] {
  if (roundsMax === undefined || trainRoundsCommitted === 0) return [];
  const secondsLeft = Math.round(((now - startedAt) / trainRoundsCommitted / 1000) * Math.max(0, roundsMax - trainRoundsCommitted));
  return [`at most ${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, "0")} left`];
}

function devices(count: number): string {
  return count === 1 ? "1 device" : `${count} devices`;
}
