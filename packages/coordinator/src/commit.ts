import { allFinite, assert, durationBetween } from "@tutti/base";
import { layoutOf } from "@tutti/engine";
import { decodeModelFile, encodeModelFile, serverOptimizer } from "@tutti/learning";
import { stepTaskProgress, type AbandonReason } from "@tutti/rounds";
import type { ClosedSum } from "./aggregate/round-sum.ts";
import type { LiveRound } from "./live-round.ts";
import type { ClosedRoundRow, ModelRow } from "./store/store.ts";
import type { TaskRun } from "./task-run.ts";

/**
 * The end of a round that gathered enough reports: the model blob first, then ONE transaction with the
 * closed round, its report ids, the new version and the task's progress. Until that transaction is
 * durable nothing has happened; after it the round's key is gone. A sum that would lead out of the finite
 * numbers abandons the round.
 */
export async function commitRound(run: TaskRun, round: LiveRound): Promise<void> {
  const { store, onEvent } = run.ports;
  const sum = await round.closeSum();
  const model = round.row.kind === "train" ? await nextModel(run, round, sum) : null;
  if (model === "not-finite") return abandonRound(run, round, "sum-failed");
  const closed = closedRow(run, round, { outcome: "committed", reason: "", sum });
  const reports = [...sum.reports].map(([slot, { fingerprint }]) => ({ slot, fingerprint }));
  await run.change(async (before) => {
    const progress = stepTaskProgress(before, run.task, { kind: "round-committed", ...roundEnd(round, closed), metrics: sum.metrics });
    await store.closeRound({ closed, reports, model, progress });
    return progress;
  });
  if (model !== null) run.latest = model;
  round.step({ kind: "sum-committed" });
  onEvent({
    kind: "round-committed", ...namesOf(round), counts: closed.counts, metrics: sum.metrics, phases: closed.phases,
    model: model === null ? null : { version: model.version, hash: model.hash },
    durationMs: closed.closedAt - closed.openedAt,
  });
}

/** The end of a round that cannot count: the sum is erased and the model stays as it was. */
export async function abandonRound(run: TaskRun, round: LiveRound, reason: AbandonReason): Promise<void> {
  const { store, onEvent } = run.ports;
  const sum = await round.closeSum();
  const closed = closedRow(run, round, { outcome: "abandoned", reason, sum });
  await run.change(async (before) => {
    const progress = stepTaskProgress(before, run.task, { kind: "round-abandoned", ...roundEnd(round, closed), reason });
    await store.closeRound({ closed, reports: [], model: null, progress });
    return progress;
  });
  onEvent({ kind: "round-abandoned", ...namesOf(round), counts: closed.counts, reason, phases: closed.phases });
}

/** w ← the server optimizer's step along Σ w·x / Σ w, as a new immutable version; its blob is durable. */
async function nextModel(run: TaskRun, round: LiveRound, { vector, weight, metrics }: ClosedSum): Promise<ModelRow | "not-finite"> {
  const { blobs, clock } = run.ports;
  const { population, task } = run.row;
  const layout = layoutOf(run.task.model);
  const current = decodeModelFile(await blobs.read(round.plan.modelHash), layout);
  assert(current.ok, "a model version of ours is a whole model file");
  const optimizer = serverOptimizer(run.task.serverOptimizer);
  const { parameters } = optimizer.update(optimizer.init(layout.parameterCount), current.value, { vector, weight });
  if (!allFinite(parameters)) return "not-finite";
  return {
    population,
    task,
    version: run.latest.version + 1,
    parent: run.latest.version,
    round: round.id,
    hash: await blobs.put(encodeModelFile(parameters, layout, { population, task, round: String(round.plan.round) })),
    metrics,
    createdAt: clock.now(),
  };
}

function closedRow(run: TaskRun, round: LiveRound, end: { readonly outcome: ClosedRoundRow["outcome"]; readonly reason: string; readonly sum: ClosedSum }): ClosedRoundRow {
  return {
    round: round.id,
    kind: round.row.kind,
    outcome: end.outcome,
    reason: end.reason,
    modelHash: round.plan.modelHash,
    counts: { ...round.state.counts, reported: end.sum.reports.size },
    phases: round.phaseCounts(end.sum.reports),
    metrics: end.outcome === "committed" ? end.sum.metrics : null,
    openedAt: round.row.openedAt,
    closedAt: run.ports.clock.now(),
  };
}

function roundEnd(round: LiveRound, { kind: roundKind, counts, openedAt, closedAt }: ClosedRoundRow) {
  return { roundKind, counts, durationMs: durationBetween(openedAt, closedAt), deviceTimeP90Ms: round.deviceTimeP90Ms, at: closedAt };
}

function namesOf(round: LiveRound) {
  const { population, task, round: number, kind: roundKind } = round.plan;
  return { population, task, round: number, roundKind };
}
