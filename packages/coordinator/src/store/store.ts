import type { Bytes, InstantMs, Sha256Hex } from "@tutti/base";
import type { Json, MetricSums, PopulationName, RoundId, TaskKind, TaskName } from "@tutti/protocol";
import type { RoundCounts } from "@tutti/rounds";

/** A fleet and its secrets. A row exists from the first `serve` that names it. */
export type PopulationRow = {
  readonly population: PopulationName;
  /** PKCS #8 private keys (Ed25519) and the 32-byte HMAC key of capability tokens. */
  readonly enrolmentKey: Bytes;
  readonly planKey: Bytes;
  readonly receiptKey: Bytes;
  readonly tokenKey: Bytes;
};

/** An operator's task: the document as it came, and where the run stands (`rounds/task-progress`, as JSON). */
export type TaskRow = {
  readonly population: PopulationName;
  readonly task: TaskName;
  readonly document: Json;
  readonly progress: Json;
  readonly createdAt: InstantMs;
};

/** A round that is open. `state` is `rounds/round` as JSON; `sumKey` seals its checkpoints and dies with it. */
export type OpenRoundRow = {
  readonly round: RoundId;
  readonly kind: TaskKind;
  readonly state: Json;
  readonly planHash: Sha256Hex;
  readonly planSignature: string;
  readonly modelVersion: number;
  readonly sumKey: Bytes;
  readonly openedAt: InstantMs;
};

/** One place handed out. `requestId` is the device's own random id: asking again gets the same slot. */
export type AssignmentRow = { readonly round: RoundId; readonly slot: number; readonly requestId: string };

/** A place given back. */
export type DepartureRow = { readonly round: RoundId; readonly slot: number; readonly reason: string; readonly phases: string };

/** A report inside a committed sum. `fingerprint` tells a repeat from a conflict (aggregate/fingerprint). */
export type ReportRow = { readonly slot: number; readonly fingerprint: string };

export type RoundOutcome = "committed" | "abandoned";

/** How a round ended: kept for ever, and holds nothing about any device but counts. */
export type ClosedRoundRow = {
  readonly round: RoundId;
  readonly kind: TaskKind;
  readonly outcome: RoundOutcome;
  /** The model that its devices downloaded: a late repeat of a counted report gets its receipt again. */
  readonly modelHash: Sha256Hex;
  /** Why it was abandoned; empty for a committed round. */
  readonly reason: string;
  readonly counts: RoundCounts;
  /** Phase string → devices. */
  readonly phases: Readonly<Record<string, number>>;
  readonly metrics: MetricSums | null;
  readonly openedAt: InstantMs;
  readonly closedAt: InstantMs;
};

/** An immutable model version; version 0 is the task's start. */
export type ModelRow = {
  readonly population: PopulationName;
  readonly task: TaskName;
  readonly version: number;
  readonly parent: number | null;
  /** The round that made it; null for version 0. */
  readonly round: RoundId | null;
  readonly hash: Sha256Hex;
  /** Sums over the devices that trained it; null for the start. */
  readonly metrics: MetricSums | null;
  readonly createdAt: InstantMs;
};

/** All that a round's end changes: one transaction, or nothing. */
export type RoundClosing = {
  readonly closed: ClosedRoundRow;
  /** Ids of the reports in the sum; empty when the round was abandoned. */
  readonly reports: readonly ReportRow[];
  /** The new version of a committed training round; `latest` moves to it. */
  readonly model: ModelRow | null;
  readonly progress: Json;
};

/**
 * What the coordinator remembers. Every promise resolves only when the change is durable, and rejects
 * with the change undone (`StoreFullError` when the disk is full; `AssertionError` for a broken promise,
 * which undoes nothing of its neighbours). Changes take effect in the order of their calls. Populations,
 * tasks and open rounds are listed in the order in which they were added. Writes that name a round or task
 * of another population do not compile without that population. One contract suite: test/store-contract.ts.
 */
export interface Store {
  /** Adds the population unless it exists; gives the row that stands. */
  addPopulation(row: PopulationRow): Promise<PopulationRow>;
  populations(): Promise<readonly PopulationRow[]>;

  /** Adds a task of a known population and its model version 0 in one transaction; "exists" changes nothing. */
  addTask(row: TaskRow, start: ModelRow): Promise<"added" | "exists">;
  tasks(): Promise<readonly TaskRow[]>;
  /** A task that was never added is a broken promise. */
  saveProgress(task: Pick<TaskRow, "population" | "task" | "progress">): Promise<void>;

  /** A round that was opened already, that is closed, or whose task was never added, is a broken promise. */
  openRound(row: OpenRoundRow): Promise<void>;
  openRounds(): Promise<readonly OpenRoundRow[]>;
  /** Hot: group-committed with its neighbours. A slot or a request id that the round has already, or a round that is not open, is a broken promise. */
  addAssignment(row: AssignmentRow): Promise<void>;
  /** Hot: group-committed. A second departure of a slot changes nothing; one of a slot without assignment is a broken promise. */
  addDeparture(row: DepartureRow): Promise<void>;
  /** A round that is not open is a broken promise. */
  saveRoundState(round: RoundId, state: Json): Promise<void>;
  /** By slot. */
  assignments(round: RoundId): Promise<readonly AssignmentRow[]>;
  /** By slot. */
  departures(round: RoundId): Promise<readonly DepartureRow[]>;

  /**
   * Ends a round: the closed row, its report ids, the new model, the task's progress; the open row, its
   * assignments and departures go, and its sum key is overwritten on disk before the promise resolves. A
   * round that is not open, or a model version that exists, is a broken promise.
   */
  closeRound(closing: RoundClosing): Promise<void>;
  /** At most `latest` rounds, the newest (highest number) first. */
  closedRounds(task: Pick<TaskRow, "population" | "task">, latest: number): Promise<readonly ClosedRoundRow[]>;
  closedRound(round: RoundId): Promise<ClosedRoundRow | undefined>;
  /** By slot; empty for a round that was abandoned or never closed. */
  reports(round: RoundId): Promise<readonly ReportRow[]>;

  /** By version. */
  models(task: Pick<TaskRow, "population" | "task">): Promise<readonly ModelRow[]>;
  /** A task that was never added is a broken promise. */
  latestModel(task: Pick<TaskRow, "population" | "task">): Promise<ModelRow>;

  /** Resolves when all that was asked for is durable; a second time changes nothing. */
  close(): Promise<void>;
}

/** The disk is full: the change was undone, and may be tried again later. */
export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
}
