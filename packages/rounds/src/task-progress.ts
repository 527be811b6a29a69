import { assert, durationMs, unreachable, type DurationMs, type InstantMs } from "@tutti/base";
import { isBetterHigher, metricValue } from "@tutti/learning";
import type { MetricName, MetricSums, TaskKind } from "@tutti/protocol";
import type { AbandonReason, RoundCounts, RoundPolicy } from "./round.ts";
import { assignedTargetOf, observeRound, openFleetEstimate, reportingWindowOf, type FleetEstimate } from "./selection.ts";
import type { TargetRule, Task } from "./task.ts";

/** Which rule ended a task. */
export type StoppedBy = "rounds" | "target" | "patience" | "date" | "operator";

/** What patience remembers of the evaluations. */
export type EvaluationRecord = {
  /** Value of the judged metric in the last evaluation that had predictions; null before it. */
  readonly last: number | null;
  readonly best: number | null;
  /** Evaluations since the best was last beaten by more than patience's delta. */
  readonly sinceBest: number;
};

type Standing = {
  readonly trainRoundsCommitted: number;
  /** Released model versions: what a plan's `step` and the devices' separation count. */
  readonly step: number;
  /** Number of the round that is open, or else opens next. */
  readonly nextRound: number;
  /** Rounds abandoned one after the other. */
  readonly abandonedInARow: number;
  /** Training rounds that were committed when an evaluation last ended, well or not. */
  readonly evaluatedAfter: number;
  readonly evaluations: EvaluationRecord;
  readonly fleet: FleetEstimate;
};

/** Where a running task stands: plain data, stored as JSON with every round's end. */
export type TaskProgress =
  | (Standing & { readonly phase: "running" | "paused" })
  /** Ended by an operator. */
  | (Standing & { readonly phase: "halted" })
  | (Standing & { readonly phase: "done"; readonly stoppedBy: StoppedBy });

type RoundEnd = {
  readonly roundKind: TaskKind;
  readonly counts: RoundCounts;
  readonly durationMs: DurationMs;
  /** `p90Of` the times from assignment to report; null where the shell did not measure them. */
  readonly deviceTimeP90Ms: DurationMs | null;
  readonly at: InstantMs;
};

export type TaskEvent =
  | (RoundEnd & { readonly kind: "round-committed"; readonly metrics: MetricSums })
  | (RoundEnd & { readonly kind: "round-abandoned"; readonly reason: AbandonReason })
  | { readonly kind: "pause" | "resume" | "halt" }
  | { readonly kind: "time-passed"; readonly at: InstantMs };

export type TaskAction =
  | { readonly kind: "open-round"; readonly roundKind: TaskKind }
  /** For an operator. */
  | { readonly kind: "wait" }
  | { readonly kind: "stop"; readonly stoppedBy: StoppedBy };

/** A task before its first round. */
export function openTaskProgress(): TaskProgress {
  return {
    phase: "running", trainRoundsCommitted: 0, step: 0, nextRound: 0, abandonedInARow: 0, evaluatedAfter: 0,
    evaluations: { last: null, best: null, sinceBest: 0 }, fleet: openFleetEstimate(),
  };
}

/**
 * The only place where a task's progress changes. Pure. A round that ends is counted in every phase: it
 * may end after the operator paused or halted the task. Pausing twice, or resuming what runs, changes
 * nothing; neither does anything but a round's end once the task is halted or done.
 */
export function stepTaskProgress(progress: TaskProgress, task: Task, event: TaskEvent): TaskProgress {
  switch (event.kind) {
    case "round-committed":
    case "round-abandoned":
      return judged(afterRound(progress, task, event), task, event.at);
    case "time-passed":
      return judged(progress, task, event.at);
    case "pause":
    case "resume":
      return isOver(progress) ? progress : { ...progress, phase: event.kind === "pause" ? "paused" : "running" };
    case "halt":
      return isOver(progress) ? progress : { ...progress, phase: "halted" };
    default:
      return unreachable(event);
  }
}

/** What the shell does next, when no round is open. A stop by date shows here first; `time-passed` writes it down. */
export function nextAction(progress: TaskProgress, task: Task, now: InstantMs): TaskAction {
  const current = judged(progress, task, now);
  switch (current.phase) {
    case "done":
      return { kind: "stop", stoppedBy: current.stoppedBy };
    case "halted":
      return { kind: "stop", stoppedBy: "operator" };
    case "paused":
      return { kind: "wait" };
    case "running":
      return { kind: "open-round", roundKind: nextKind(current, task) };
    default:
      return unreachable(current);
  }
}

/** The policy of the next round of this kind: adaptive parts follow what the rounds before it measured. */
export function roundPolicyOf(task: Task, kind: TaskKind, { fleet }: TaskProgress): RoundPolicy {
  if (kind === "evaluate") return evaluationPolicy(task);
  const { goalCount, overSelection, selectionWindowMs, selectionFractionMin, reportingWindowMs, reportingFractionMin } = task.rounds;
  return {
    goalCount,
    assignedTarget: assignedTargetOf(goalCount, overSelection, fleet),
    selectionWindowMs,
    selectionFractionMin,
    reportingWindowMs: reportingWindowOf(reportingWindowMs, fleet),
    reportingFractionMin,
  };
}

/** How long a round with this policy is expected to last: as those before it did, or as both its windows. */
export function expectedRoundMs({ fleet }: TaskProgress, { selectionWindowMs, reportingWindowMs }: RoundPolicy): DurationMs {
  return fleet.roundMs ?? durationMs(selectionWindowMs + reportingWindowMs);
}

/** No over-selection: whoever evaluates costs little, and each report makes the figure better. */
function evaluationPolicy({ evaluation }: Task): RoundPolicy {
  assert(evaluation !== null, "a task is evaluated as its document says");
  const { goalCount, windowMs, fractionMin } = evaluation;
  return {
    goalCount, assignedTarget: goalCount,
    selectionWindowMs: windowMs, selectionFractionMin: fractionMin, reportingWindowMs: windowMs, reportingFractionMin: fractionMin,
  };
}

/** An evaluation after every so many training rounds, and after the last; one that was abandoned is not tried again, so it holds nobody up. */
function nextKind(progress: TaskProgress, task: Task): TaskKind {
  return isEvaluationDue(progress, task) ? "evaluate" : "train";
}

function isEvaluationDue({ trainRoundsCommitted, evaluatedAfter }: Standing, { evaluation, stop }: Task): boolean {
  if (evaluation === null || trainRoundsCommitted <= evaluatedAfter) return false;
  return trainRoundsCommitted % evaluation.everyRounds === 0 || trainRoundsCommitted >= (stop.rounds ?? Number.POSITIVE_INFINITY);
}

function afterRound(progress: TaskProgress, task: Task, end: Extract<TaskEvent, RoundEnd>): TaskProgress {
  const isCommitted = end.kind === "round-committed";
  const counted = { ...progress, nextRound: progress.nextRound + 1, abandonedInARow: isCommitted ? 0 : progress.abandonedInARow + 1 };
  if (end.roundKind === "evaluate") {
    const evaluations = isCommitted ? afterEvaluation(progress.evaluations, task, end.metrics) : progress.evaluations;
    return { ...counted, evaluatedAfter: progress.trainRoundsCommitted, evaluations };
  }
  const fleet = isInformative(end) ? observeRound(progress.fleet, { ...end, goalCount: task.rounds.goalCount }) : progress.fleet;
  if (!isCommitted) return { ...counted, fleet };
  return { ...counted, fleet, step: progress.step + 1, trainRoundsCommitted: progress.trainRoundsCommitted + 1 };
}

/** Only a round that ran until its reports were in, or its time was over, tells who dropped out. */
function isInformative(end: Extract<TaskEvent, RoundEnd>): boolean {
  return end.kind === "round-committed" || end.reason === "too-few-reports";
}

function afterEvaluation(record: EvaluationRecord, task: Task, metrics: MetricSums): EvaluationRecord {
  const metric = judgedMetric(task);
  const value = metricValue(metric, metrics);
  if (value === undefined) return record;
  const { best, sinceBest } = record;
  const isBetter = best === null || gain(metric, best, value) > (task.stop.patience?.delta ?? 0);
  return isBetter ? { last: value, best: value, sinceBest: 0 } : { last: value, best, sinceBest: sinceBest + 1 };
}

/** The metric that the target names, or else the loss. */
function judgedMetric({ stop }: Task): MetricName {
  return stop.target?.metric ?? "loss";
}

function gain(metric: MetricName, from: number, to: number): number {
  return isBetterHigher(metric) ? to - from : from - to;
}

/** The progress as the stop rules see it: done, or what it was. A due evaluation comes before the end by rounds. */
function judged(progress: TaskProgress, task: Task, at: InstantMs): TaskProgress {
  if (isOver(progress)) return progress;
  const stoppedBy = stoppingRule(progress, task, at);
  return stoppedBy === undefined ? progress : { ...progress, phase: "done", stoppedBy };
}

function stoppingRule(progress: TaskProgress, task: Task, at: InstantMs): StoppedBy | undefined {
  const { rounds, target, patience, date } = task.stop;
  const { last, sinceBest } = progress.evaluations;
  if (target !== undefined && last !== null && isReached(target, last)) return "target";
  if (patience !== undefined && sinceBest >= patience.evaluations) return "patience";
  if (rounds !== undefined && progress.trainRoundsCommitted >= rounds && !isEvaluationDue(progress, task)) return "rounds";
  return date !== undefined && at >= date ? "date" : undefined;
}

function isReached(target: TargetRule, value: number): boolean {
  return "atLeast" in target ? value >= target.atLeast : value <= target.atMost;
}

function isOver({ phase }: TaskProgress): boolean {
  return phase === "halted" || phase === "done";
}
