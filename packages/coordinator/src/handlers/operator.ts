import {
  decodeSafetensors, partsOfRound, vectorBytesMax,
  type ModelSummary, type PopulationName, type RoundSummary, type TaskAction, type TaskDetail, type TaskName, type TaskSummary, type UploadedBlob,
} from "@tutti/protocol";
import type { Coordinator } from "../coordinator.ts";
import { closedRoundsShownMax } from "../limits.ts";
import { isRefusal, malformed, refuse, type Refusal } from "../refusal.ts";
import type { ClosedRoundRow, ModelRow } from "../store/store.ts";
import type { TaskRun } from "../task-run.ts";

type NamedTask = { readonly population: PopulationName; readonly task: TaskName };

export function listTasks(coordinator: Coordinator, name: PopulationName | undefined): { readonly tasks: readonly TaskSummary[] } | Refusal {
  const population = name === undefined ? undefined : coordinator.population(name);
  if (population === undefined) return refuse("unknown-population");
  return { tasks: [...population.tasks.values()].map(summaryOf) };
}

/** Checks the document and starts the task; the same document again is answered like the first time. */
export async function createTask(coordinator: Coordinator, name: PopulationName | undefined, document: unknown): Promise<TaskSummary | Refusal> {
  const population = name === undefined ? undefined : coordinator.population(name);
  if (population === undefined) return refuse("unknown-population");
  const run = await coordinator.addTask(population, document);
  return isRefusal(run) ? run : summaryOf(run);
}

/** Keeps a safetensors file that a task's start may name. @param bodyBytes its Content-Length; NaN without one. */
export async function uploadBlob(coordinator: Coordinator, body: AsyncIterable<Uint8Array>, bodyBytes: number): Promise<UploadedBlob | Refusal> {
  if (Number.isNaN(bodyBytes)) return refuse("length-required");
  if (bodyBytes > vectorBytesMax) return refuse("body-too-large", { detail: `At most ${vectorBytesMax} bytes.` });
  const bytes = new Uint8Array(bodyBytes);
  let at = 0;
  for await (const chunk of body) {
    if (at + chunk.length > bodyBytes) return malformed({ path: "/", expected: `must be ${bodyBytes} bytes, as its Content-Length says` });
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const file = decodeSafetensors(bytes.subarray(0, at));
  if (!file.ok) return malformed(file.error);
  return { hash: await coordinator.ports.blobs.put(bytes), bytes: bodyBytes };
}

export async function showTask(coordinator: Coordinator, name: NamedTask | undefined): Promise<TaskDetail | Refusal> {
  const run = runOf(coordinator, name);
  if (run === undefined) return refuse("unknown-task");
  const rounds = await run.ports.store.closedRounds(run.row, closedRoundsShownMax);
  return { summary: summaryOf(run), document: run.row.document, rounds: rounds.map(roundSummaryOf) };
}

export async function actOnTask(coordinator: Coordinator, name: NamedTask | undefined, action: TaskAction): Promise<TaskSummary | Refusal> {
  const run = runOf(coordinator, name);
  if (run === undefined) return refuse("unknown-task");
  const refusal = await run.act(action);
  return refusal ?? summaryOf(run);
}

export async function listModels(coordinator: Coordinator, name: NamedTask | undefined): Promise<{ readonly models: readonly ModelSummary[] } | Refusal> {
  const run = runOf(coordinator, name);
  if (run === undefined) return refuse("unknown-task");
  const models = await run.ports.store.models(run.row);
  return { models: models.map((model) => modelSummaryOf(model, run.latest.version)) };
}

function runOf(coordinator: Coordinator, name: NamedTask | undefined): TaskRun | undefined {
  return name === undefined ? undefined : coordinator.population(name.population)?.tasks.get(name.task);
}

function summaryOf(run: TaskRun): TaskSummary {
  const { progress, latest, live } = run;
  return {
    population: run.row.population,
    task: run.row.task,
    phase: progress.phase,
    stoppedBy: progress.phase === "done" ? progress.stoppedBy : null,
    trainRoundsCommitted: progress.trainRoundsCommitted,
    modelVersion: latest.version,
    modelHash: latest.hash,
    openRound:
      live === undefined
        ? null
        : { round: live.plan.round, kind: live.plan.kind, phase: live.state.phase, ...live.state.counts, goalCount: live.state.policy.goalCount },
  };
}

function roundSummaryOf(row: ClosedRoundRow): RoundSummary {
  const { assigned, reported, left } = row.counts;
  const { kind, outcome, reason, phases, metrics } = row;
  return { round: partsOfRound(row.round).number, kind, outcome, reason, assigned, reported, left, phases, metrics, durationMs: row.closedAt - row.openedAt };
}

function modelSummaryOf(row: ModelRow, latest: number): ModelSummary {
  const { version, parent, round, hash, metrics } = row;
  return { version, parent, round: round === null ? null : partsOfRound(round).number, hash, isLatest: version === latest, metrics };
}
