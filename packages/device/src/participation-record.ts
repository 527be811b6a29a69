import type { InstantMs, Sha256Hex } from "@tutti/base";
import type { AssignmentRequest, Assigned, Eligibility, Json, TaskName } from "@tutti/protocol";
import type { DeviceStore, StoreWrite } from "./platform.ts";
import type { RetryMoments } from "./retry-moment.ts";

/** What a restart must know of a participation that was under way; written before the step that it names. */
export type ParticipationRecord =
  | ({ readonly stage: "asking"; readonly request: AssignmentRequest } & Begun)
  | ({ readonly stage: "working" } & Place)
  | ({ readonly stage: "reporting" } & PendingReport);

/** The ledger's entry of the participation, and both moments that its check-in gave. */
export type Begun = { readonly entryId: number; readonly moments: RetryMoments };

/** A place in a round, held until `deadlineAtMs` of this device's clock, and only while `eligibility` holds. */
export type Place = Begun & { readonly assigned: Assigned; readonly deadlineAtMs: InstantMs; readonly eligibility: Eligibility };

/** A report that may have been sent; its bytes lie under `reportBytesKey`. */
export type PendingReport = Place & { readonly modelHash: Sha256Hex; readonly task: TaskName; readonly step: number; readonly phases: string };

const participationKey = "participation";
export const reportBytesKey = "report";
/** Raised whenever a record's shape changes: another SDK's record counts as none. */
const recordVersion = 1;

export function putParticipation(record: ParticipationRecord): StoreWrite {
  return { kind: "put-record", key: participationKey, value: { version: recordVersion, record: record as unknown as Json } };
}

/** The participation is over: nothing of it remains but its ledger entry. */
export const dropParticipation: readonly StoreWrite[] = [
  { kind: "delete-record", key: participationKey },
  { kind: "delete-bytes", key: reportBytesKey },
];

/** What a crash left; null after a clean end. The device alone writes it, so its version vouches for its shape. */
export async function readParticipation(store: DeviceStore): Promise<ParticipationRecord | null> {
  const value = await store.record(participationKey);
  if (typeof value !== "object" || value === null || !("version" in value) || !("record" in value)) return null;
  return value.version === recordVersion ? (value.record as unknown as ParticipationRecord) : null;
}
