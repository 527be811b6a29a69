import { partsOfRound, type Json, type MetricSums } from "@tutti/protocol";
import type { Tables } from "./sqlite-schema.ts";
import type { ClosedRoundRow, ModelRow, OpenRoundRow, PopulationRow, TaskRow } from "./store.ts";

// Rows of the port as they lie in the file, and back. The casts name what the other function of the pair wrote.

export function populationRow({ population, enrolmentKey, planKey, receiptKey, tokenKey }: Tables["population"]): PopulationRow {
  return { population, enrolmentKey, planKey, receiptKey, tokenKey };
}

export function storedTask({ population, task, document, progress, createdAt }: TaskRow): Tables["task"] {
  return { population, task, document: JSON.stringify(document), progress: JSON.stringify(progress), createdAt, latestVersion: 0 };
}

export function taskRow({ population, task, document, progress, createdAt }: Tables["task"]): TaskRow {
  return { population, task, document: JSON.parse(document) as Json, progress: JSON.parse(progress) as Json, createdAt };
}

export function storedOpenRound({ round, kind, state, planHash, planSignature, modelVersion, sumKey, openedAt }: OpenRoundRow): Tables["openRound"] {
  const { population, task } = partsOfRound(round);
  return { round, population, task, kind, state: JSON.stringify(state), planHash, planSignature, modelVersion, sumKey, openedAt };
}

export function openRoundRow({ round, kind, state, planHash, planSignature, modelVersion, sumKey, openedAt }: Tables["openRound"]): OpenRoundRow {
  return { round, kind, state: JSON.parse(state) as Json, planHash, planSignature, modelVersion, sumKey, openedAt };
}

export function storedClosedRound({ round, kind, outcome, modelHash, reason, counts, phases, metrics, openedAt, closedAt }: ClosedRoundRow): Tables["closedRound"] {
  const { population, task, number } = partsOfRound(round);
  const texts = { counts: JSON.stringify(counts), phases: JSON.stringify(phases), metrics: JSON.stringify(metrics) };
  return { round, population, task, number, kind, outcome, modelHash, reason, ...texts, openedAt, closedAt };
}

export function closedRoundRow({ round, kind, outcome, modelHash, reason, counts, phases, metrics, openedAt, closedAt }: Tables["closedRound"]): ClosedRoundRow {
  return {
    round, kind, outcome, modelHash, reason,
    counts: JSON.parse(counts) as ClosedRoundRow["counts"],
    phases: JSON.parse(phases) as ClosedRoundRow["phases"],
    metrics: metricsOf(metrics),
    openedAt, closedAt,
  };
}

export function storedModel({ population, task, version, parent, round, hash, metrics, createdAt }: ModelRow): Tables["model"] {
  return { population, task, version, parent, round, hash, metrics: JSON.stringify(metrics), createdAt };
}

export function modelRow({ population, task, version, parent, round, hash, metrics, createdAt }: Tables["model"]): ModelRow {
  return { population, task, version, parent, round, hash, metrics: metricsOf(metrics), createdAt };
}

function metricsOf(text: string): MetricSums | null {
  return JSON.parse(text) as MetricSums | null;
}
