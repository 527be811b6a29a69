import { assert, err, instantMs, ok, type DurationMs, durationMs, type InstantMs, type Result, type Sha256Hex } from "@tutti/base";
import { decodeLocalTraining, decodeModel, layoutOf, type DocumentFault, type LocalTraining, type Model } from "@tutti/engine";
import type { ServerOptimizerConfig } from "@tutti/learning";
import {
  faultsOf, protocolVersion, TaskDocumentSchema, type DataQuery, type Eligibility, type Json, type Malformed, type MetricName,
  type Plan, type PopulationName, type SumClause, type TaskDocument, type TaskKind, type TaskName,
} from "@tutti/protocol";
import {
  clipNormMax, clipNormMin, fixedOverSelectionMax, goalCountMax, overSelectionMax, patienceEvaluationsMax, roundCountMax, sumWeightMax,
  taskFaultsMax, windowMsMax,
} from "./limits.ts";
import type { RoundPolicy } from "./round.ts";
import { roundedUp } from "./rounded-up.ts";

/** Selection and reporting as the operator wants them; `roundPolicyOf` makes a round's own policy of it. */
export type TaskRounds = {
  readonly goalCount: number;
  readonly overSelection: number | "adaptive";
  readonly selectionWindowMs: DurationMs;
  readonly selectionFractionMin: number;
  readonly reportingWindowMs: DurationMs | "adaptive";
  readonly reportingFractionMin: number;
};

export type Evaluation = { readonly everyRounds: number; readonly goalCount: number; readonly windowMs: DurationMs; readonly fractionMin: number };

export type TargetRule = { readonly metric: MetricName } & ({ readonly atLeast: number } | { readonly atMost: number });
export type PatienceRule = { readonly evaluations: number; readonly delta: number };

/** Any of these ends the task. */
export type StopRules = {
  readonly rounds?: number;
  readonly target?: TargetRule;
  readonly patience?: PatienceRule;
  readonly date?: InstantMs;
};

/** An operator's task, every part decoded and checked against the others. */
export type Task = {
  readonly name: TaskName;
  /** The only population that the task may run in; null for any. */
  readonly population: PopulationName | null;
  readonly description: string;
  readonly start: { readonly seed: number } | { readonly blob: Sha256Hex };
  readonly model: Model;
  readonly parameterCount: number;
  readonly job: LocalTraining;
  /** Model and job as they travel in a plan. */
  readonly documents: { readonly model: Json; readonly job: Json };
  readonly data: DataQuery;
  readonly rounds: TaskRounds;
  readonly eligibility: Omit<Eligibility, "cohort" | "heldOutFraction">;
  readonly heldOutFraction: number;
  readonly sum: SumClause;
  readonly serverOptimizer: ServerOptimizerConfig;
  readonly durability: "checkpoint" | "memory";
  /** Null for a task that is never evaluated. */
  readonly evaluation: Evaluation | null;
  readonly stop: StopRules;
};

/** A field of a task document that cannot stand, as a JSON pointer, and what was expected there. */
export type TaskFault = { readonly path: string; readonly expected: string };

/** The parts of a plan that a task fixes for all its rounds of one kind; a check-in's offer shows some of them. */
export type PlanTemplate = Omit<Plan, "population" | "round" | "roundNonce" | "step" | "modelHash" | "reportDeadlineMs">;

/** What one round adds. */
export type PlanRound = {
  readonly population: PopulationName;
  readonly kind: TaskKind;
  readonly round: number;
  /** Released steps before this round. */
  readonly step: number;
  /** 32 fresh random bytes. */
  readonly roundNonce: Sha256Hex;
  readonly modelHash: Sha256Hex;
  readonly policy: RoundPolicy;
};

/**
 * The task of a document from outside, or all faults that were found: first those of the schema, and
 * where there are none those of what the fields mean together.
 */
export function taskFromDocument(value: unknown): Result<Task, readonly TaskFault[]> {
  const broken = faultsOf(TaskDocumentSchema, value, taskFaultsMax);
  if (broken.length > 0) return err(broken.map(faultOf));
  // The schema has just let it pass.
  const document = value as TaskDocument;
  const model = decodeModel(document.model);
  const job = decodeLocalTraining(document.job);
  const faults = [
    ...(model.ok ? modelFaults(document, model.value) : [under("/model", model.error)]),
    ...(job.ok ? jobFaults(job.value) : [under("/job", job.error)]),
    ...dataFaults(document), ...roundFaults(document), ...sumFaults(document), ...evaluationFaults(document), ...stopFaults(document),
  ];
  if (!model.ok || !job.ok || faults.length > 0) return err(faults.slice(0, taskFaultsMax));
  return ok(taskOf(document, model.value, job.value));
}

/** What every plan of this kind says: `evaluate` asks the held-out devices, `train` all the others. */
export function planTemplate(task: Task, kind: TaskKind): PlanTemplate {
  return {
    protocol: protocolVersion,
    task: task.name,
    kind,
    model: task.documents.model,
    parameterCount: task.parameterCount,
    job: task.documents.job,
    data: task.data,
    eligibility: { ...task.eligibility, cohort: kind === "evaluate" ? "held-out" : "training", heldOutFraction: task.heldOutFraction },
    sum: task.sum,
  };
}

/** The one plan of a round: a device that is assigned at once has both windows for its report, no device has longer. */
export function planOf(task: Task, { policy, kind, population, ...fresh }: PlanRound): Plan {
  assert(task.population === null || task.population === population, "a task runs in the population that it names");
  return { ...planTemplate(task, kind), ...fresh, population, reportDeadlineMs: policy.selectionWindowMs + policy.reportingWindowMs };
}

function taskOf(document: TaskDocument, model: Model, job: LocalTraining): Task {
  const { name, description, start, data, eligibility, heldOutFraction, sum, serverOptimizer, durability } = document;
  const { round, evaluation, stop } = document;
  const { date, ...otherRules } = stop;
  return {
    name, description, start, model, job, data, eligibility, heldOutFraction, sum, serverOptimizer, durability,
    population: document.population ?? null,
    parameterCount: layoutOf(model).parameterCount,
    documents: { model: document.model, job: document.job },
    rounds: {
      ...round,
      selectionWindowMs: durationMs(round.selectionWindowMs),
      reportingWindowMs: round.reportingWindowMs === "adaptive" ? "adaptive" : durationMs(round.reportingWindowMs),
    },
    evaluation: evaluation === undefined ? null : { ...evaluation, windowMs: durationMs(evaluation.windowMs) },
    stop: date === undefined ? otherRules : { ...otherRules, date: instantMs(Date.parse(date)) },
  };
}

function modelFaults({ stop }: TaskDocument, model: Model): readonly TaskFault[] {
  const metric = stop.target?.metric;
  if (metric === undefined || metric === "loss" || model.metrics.some(({ kind }) => kind === metric)) return [];
  return [{ path: "/stop/target/metric", expected: `"loss" or a metric that /model/metrics asks for, not ${metric}` }];
}

/** Layers that do not travel change the length of a report; no sum knows of them yet. */
function jobFaults(job: LocalTraining): readonly TaskFault[] {
  const kept = (["frozen", "personal"] as const).filter((field) => job[field].length > 0);
  return kept.map((field) => ({ path: `/job/${field}`, expected: "no layers: a sum holds the whole model" }));
}

function dataFaults({ data }: TaskDocument): readonly TaskFault[] {
  return data.examplesMin <= data.examplesMax ? [] : [{ path: "/data/examplesMax", expected: `at least examplesMin, ${data.examplesMin}` }];
}

function roundFaults({ round }: TaskDocument): readonly TaskFault[] {
  const { goalCount, overSelection, selectionWindowMs, reportingWindowMs } = round;
  return [
    ...atMost("/round/goalCount", goalCount, goalCountMax),
    ...(overSelection === "adaptive" ? [] : atMost("/round/overSelection", overSelection, fixedOverSelectionMax)),
    ...atMost("/round/selectionWindowMs", selectionWindowMs, windowMsMax),
    ...(reportingWindowMs === "adaptive" ? [] : atMost("/round/reportingWindowMs", reportingWindowMs, windowMsMax)),
  ];
}

function sumFaults({ sum, round }: TaskDocument): readonly TaskFault[] {
  const factor = round.overSelection === "adaptive" ? overSelectionMax : round.overSelection;
  const weightMax = Math.floor(sumWeightMax / roundedUp(factor, round.goalCount));
  return [
    ...(sum.clipNorm < clipNormMin ? [{ path: "/sum/clipNorm", expected: `at least ${clipNormMin}` }] : atMost("/sum/clipNorm", sum.clipNorm, clipNormMax)),
    ...atMost("/sum/weightMax", sum.weightMax, weightMax),
  ];
}

function evaluationFaults({ evaluation, heldOutFraction }: TaskDocument): readonly TaskFault[] {
  const training = heldOutFraction < 1 ? [] : [{ path: "/heldOutFraction", expected: "below 1: someone trains" }];
  if (evaluation === undefined) return training;
  return [
    ...training,
    ...(heldOutFraction > 0 ? [] : [{ path: "/heldOutFraction", expected: "above 0, as /evaluation needs held-out devices" }]),
    ...atMost("/evaluation/goalCount", evaluation.goalCount, goalCountMax),
    ...atMost("/evaluation/windowMs", evaluation.windowMs, windowMsMax),
    ...atMost("/evaluation/everyRounds", evaluation.everyRounds, roundCountMax),
  ];
}

function stopFaults({ stop, evaluation }: TaskDocument): readonly TaskFault[] {
  const needing = (["target", "patience"] as const).filter((rule) => stop[rule] !== undefined && evaluation === undefined);
  return [
    ...needing.map((rule) => ({ path: `/stop/${rule}`, expected: "an /evaluation, whose metric it judges" })),
    ...atMost("/stop/rounds", stop.rounds ?? 1, roundCountMax),
    ...atMost("/stop/patience/evaluations", stop.patience?.evaluations ?? 1, patienceEvaluationsMax),
    ...(stop.date === undefined || isMoment(stop.date) ? [] : [{ path: "/stop/date", expected: 'a moment with its zone, as "2027-01-31T18:00:00Z"' }]),
  ];
}

/** A date without a zone would mean another moment on another machine. */
function isMoment(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text) && Number.isFinite(Date.parse(text));
}

function atMost(path: string, value: number, max: number): readonly TaskFault[] {
  return value <= max ? [] : [{ path, expected: `at most ${max}` }];
}

function under(prefix: string, { path, expected }: DocumentFault): TaskFault {
  return { path: path === "/" ? prefix : prefix + path, expected };
}

function faultOf({ path, expected }: Malformed): TaskFault {
  return { path, expected };
}
