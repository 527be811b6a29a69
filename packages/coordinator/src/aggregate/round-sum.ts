import type { Bytes } from "@tutti/base";
import type { AssignmentId, MetricSums, RoundId, SumClause } from "@tutti/protocol";
import type { KeyObject } from "node:crypto";

/** What a round's sum is made of and where it is kept. */
export type RoundSumOptions = {
  readonly round: RoundId;
  /** Coordinates of a report's delta; 0 for a round that only evaluates. */
  readonly parameterCount: number;
  readonly clause: SumClause;
  /** Reports that the round may count at most: bounds the grid of the exact sum. */
  readonly reportsMax: number;
  readonly durability: "checkpoint" | "memory";
  /** AES-256-GCM key of this round's checkpoints, 32 bytes. */
  readonly sumKey: Bytes;
  /** Key of the fingerprints (aggregate/fingerprint): outlives the round, as repeats do. */
  readonly fingerprintKey: KeyObject;
  /** Called once for each report, as soon as a durable checkpoint holds it; not for those found at opening. */
  readonly onCounted: (slot: number) => void;
};

export type ReportRefusal =
  | { readonly code: "malformed"; readonly path: string; readonly expected: string }
  | { readonly code: "report-wrong-length"; readonly expected: string }
  | { readonly code: "report-not-finite" }
  | { readonly code: "report-out-of-range"; readonly expected: string }
  | { readonly code: "report-conflict" }
  | { readonly code: "round-closed" }
  | { readonly code: "overloaded" };

/** `counted`: in the durable sum, now or since an earlier try with the same bytes. Acknowledge it. */
export type ReportOutcome = { readonly kind: "counted" } | { readonly kind: "refused"; readonly refusal: ReportRefusal };

/** One upload on its way: holds a staging buffer; nothing has touched the sum. */
export interface Upload {
  /** Throws `BodyOverrunError` when more comes than was announced. */
  write(chunk: Uint8Array): void;
  /**
   * The body ended: checks it and adds it at once, before the first wait; resolves when a durable
   * checkpoint holds it. Rejects when no checkpoint could be written: the report stays in the sum and is counted
   * as soon as one can be, and the same bytes may come again for the receipt.
   */
  finish(): Promise<ReportOutcome>;
  /** The body broke off: frees the buffer, the sum is untouched. After `finish` it changes nothing. */
  discard(): void;
}

/** The body is longer than its Content-Length. */
export class BodyOverrunError extends Error {
  override readonly name = "BodyOverrunError";
}

/** One report as the sum remembers it. `phases` is what the device said of its way. */
export type SummedReport = { readonly fingerprint: string; readonly phases: string };

/** The total when the round closes. */
export type ClosedSum = {
  /** Σ w·x, float64 [parameterCount], exact on the sum's grid. */
  readonly vector: Float64Array;
  /** Σ w. */
  readonly weight: number;
  readonly metrics: MetricSums;
  /** Slot → report, for each report in the sum. */
  readonly reports: ReadonlyMap<number, SummedReport>;
};

/** The partial sum of one round: exact, so no order, grouping or restart changes a bit. */
export interface RoundSum {
  /** Reports in the sum that a durable checkpoint holds. */
  readonly countedCount: number;
  /** Whether this slot's report is in the sum, durable or about to be. */
  has(slot: number): boolean;
  /**
   * @param upload the slot whose capability the request carries, and its Content-Length.
   * Refused when the length cannot be right, or the staging memory of all uploads is taken.
   */
  beginUpload(upload: { readonly assignment: AssignmentId; readonly slot: number; readonly bodyBytes: number }): Upload | ReportRefusal;
  /** Takes no more reports; resolves with the sum once a checkpoint holds all of it. May be asked again after a failure. */
  close(): Promise<ClosedSum>;
  /** The coordinator closes: no checkpoint is tried again. */
  letGo(): void;
  /** Erases the sum and its checkpoints. */
  discard(): Promise<void>;
}

/** Opens the sums of rounds. */
export interface Aggregator {
  /** The sum of a round, from its newest whole checkpoint when there is one. */
  open(options: RoundSumOptions): Promise<RoundSum>;
  /** Erases what is left of rounds that are not open any more. */
  keepOnly(rounds: ReadonlySet<RoundId>): Promise<void>;
}
