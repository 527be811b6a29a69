import { instantMs, sha256Hex } from "@tutti/base";
import { partsOfRound, populationName, roundId, taskName, type RoundId } from "@tutti/protocol";
import type { ClosedRoundRow, ModelRow, OpenRoundRow, PopulationRow, RoundClosing, Store, TaskRow } from "../store.ts";

export const population = populationName("demo");
export const otherPopulation = populationName("other");
export const line = taskName("line");
export const names = { population, task: line };

const someMetrics = { count: 40, lossSum: 12.5, correct: 31, absoluteErrorSum: 0.1 };
/** Not a whole number and not a float32: what comes back must be this very number. */
const someMoment = instantMs(1_790_000_000_000.123);

export const round = (number: number): RoundId => roundId(population, line, number);

export function populationRow(changes: Partial<PopulationRow> = {}): PopulationRow {
  const key = (first: number, length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, i) => (first + i * 37) & 255);
  return { population, enrolmentKey: key(1, 48), planKey: key(2, 48), receiptKey: key(3, 48), tokenKey: key(4, 32), ...changes };
}

export function taskRow(changes: Partial<TaskRow> = {}): TaskRow {
  return { ...names, document: { name: "line", start: { seed: 1 }, list: [1, null, "ä"] }, progress: { phase: "running", nextRound: 0 }, createdAt: someMoment, ...changes };
}

export function startModel(changes: Partial<ModelRow> = {}): ModelRow {
  return { ...names, version: 0, parent: null, round: null, hash: sha256Hex("a".repeat(64)), metrics: null, createdAt: someMoment, ...changes };
}

/** The version that round `version` − 1 makes of the one before it. */
export function nextModel(version: number, changes: Partial<ModelRow> = {}): ModelRow {
  return startModel({ version, parent: version - 1, round: round(version - 1), hash: sha256Hex(String(version % 10).repeat(64)), metrics: someMetrics, ...changes });
}

export function openRoundRow(id: RoundId, changes: Partial<OpenRoundRow> = {}): OpenRoundRow {
  return {
    round: id, kind: "train", state: { phase: "selecting", deadline: 12.5, counts: { assigned: 0, reported: 0, left: 0 } },
    planHash: sha256Hex("b".repeat(64)), planSignature: "s".repeat(86), modelVersion: 0,
    sumKey: Uint8Array.from({ length: 32 }, (_, i) => (i * 59 + partsOfRound(id).number * 7 + 11) & 255), openedAt: someMoment, ...changes,
  };
}

export function closedRow(id: RoundId, changes: Partial<ClosedRoundRow> = {}): ClosedRoundRow {
  return {
    round: id, kind: "train", outcome: "committed", modelHash: sha256Hex("a".repeat(64)), reason: "",
    counts: { assigned: 5, reported: 3, left: 1 }, phases: { "cdtTu.": 3, cdi: 1 }, metrics: someMetrics, openedAt: someMoment, closedAt: someMoment, ...changes,
  };
}

/** A committed round without a new model. */
export function closing(id: RoundId, changes: Partial<RoundClosing> = {}): RoundClosing {
  return { closed: closedRow(id), reports: [], model: null, progress: { phase: "running", nextRound: partsOfRound(id).number + 1 }, ...changes };
}

/** A store with the task `line` of the population `demo`. */
export async function withTask(store: Store): Promise<Store> {
  await store.addPopulation(populationRow());
  await store.addTask(taskRow(), startModel());
  return store;
}

/** The same, with `number` open. */
export async function withRound(store: Store, number = 0): Promise<Store> {
  await withTask(store);
  await store.openRound(openRoundRow(round(number)));
  return store;
}

/** All that a store tells of `line` and these rounds, in one value. */
export async function contentOf(store: Store, rounds: readonly RoundId[] = [round(0)]): Promise<unknown> {
  const perRound = async (id: RoundId) => ({
    assignments: await store.assignments(id), departures: await store.departures(id), closed: await store.closedRound(id), reports: await store.reports(id),
  });
  return {
    populations: await store.populations(), tasks: await store.tasks(), models: await store.models(names), latest: await store.latestModel(names),
    open: await store.openRounds(), closedRounds: await store.closedRounds(names, 100), rounds: await Promise.all(rounds.map(perRound)),
  };
}
