import type { InstantMs, Sha256Hex } from "@tutti/base";
import { AssignmentAnswerSchema, decode, type AssignmentRequest, type Assigned, type Json, type TaskName } from "@tutti/protocol";
import type { DeviceStore, StoreWrite } from "./platform.ts";

/** What a restart must know of a participation that was under way; written before the step that it names. */
export type ParticipationRecord =
  | { readonly stage: "asking"; readonly entryId: number; readonly request: AssignmentRequest }
  | ({ readonly stage: "working" } & Place)
  | ({ readonly stage: "reporting" } & PendingReport);

export type Place = { readonly entryId: number; readonly assigned: Assigned; readonly deadlineAtMs: InstantMs };

/** A report that may have been sent; its bytes lie under `reportBytesKey`. */
export type PendingReport = Place & { readonly modelHash: Sha256Hex; readonly task: TaskName; readonly step: number; readonly phases: string };

const participationKey = "participation";
export const reportBytesKey = "report";

export function putParticipation(record: ParticipationRecord): StoreWrite {
  return { kind: "put-record", key: participationKey, value: record as unknown as Json };
}

/** The participation is over: nothing of it remains but its ledger entry. */
export const dropParticipation: readonly StoreWrite[] = [
  { kind: "delete-record", key: participationKey },
  { kind: "delete-bytes", key: reportBytesKey },
];

/** What a crash left; null after a clean end. A record of another shape (an older SDK's) counts as none. */
export async function readParticipation(store: DeviceStore): Promise<ParticipationRecord | null> {
  const value = await store.record(participationKey);
  if (typeof value !== "object" || value === null || !("stage" in value) || !("entryId" in value)) return null;
  if (value.stage === "asking" && "request" in value) return value as unknown as ParticipationRecord;
  const assigned = "assigned" in value ? decode(AssignmentAnswerSchema, value.assigned) : null;
  return assigned?.ok === true && assigned.value.kind === "assigned" ? (value as unknown as ParticipationRecord) : null;
}

/** Reports that this device gave to a task: kept through `forget()`, so that erasing cannot reset a limit. */
export type ParticipationCount = { readonly lastStep: number; readonly uses: number };

const countPrefix = "participations/";

export async function readCount(store: DeviceStore, task: string): Promise<ParticipationCount | null> {
  const value = await store.record(countPrefix + task);
  if (typeof value !== "object" || value === null || !("lastStep" in value) || !("uses" in value)) return null;
  return typeof value.lastStep === "number" && typeof value.uses === "number" ? { lastStep: value.lastStep, uses: value.uses } : null;
}

export async function countParticipation(store: DeviceStore, report: Pick<PendingReport, "task" | "step">): Promise<StoreWrite> {
  const earlier = await readCount(store, report.task);
  const lastStep = Math.max(report.step, earlier?.lastStep ?? 0);
  return { kind: "put-record", key: countPrefix + report.task, value: { lastStep, uses: (earlier?.uses ?? 0) + 1 } };
}
