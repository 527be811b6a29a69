import { assert, instantMs, type InstantMs, type Sha256Hex } from "@tutti/base";
import { phaseLetters, type AssignmentId, type Json, type Phase, type TaskName } from "@tutti/protocol";
import type { Declined, Ending } from "./ending.ts";
import { ledgerEntriesMax } from "./limits.ts";
import type { DeviceStore, StoreWrite } from "./platform.ts";

/** One check-in and what came of it, as its owner may read it. */
export type LedgerEntry = {
  readonly id: number;
  readonly startedAtMs: InstantMs;
  readonly offered: readonly TaskName[];
  readonly declined: readonly Declined[];
  /** Letters of protocol/phases.ts, in the order in which they happened. */
  readonly phases: string;
  /** The place in a round; null where there was none. */
  readonly place: { readonly task: TaskName; readonly assignment: AssignmentId; readonly planHash: Sha256Hex } | null;
  /** Whether a report may have left the device; written before its first byte is sent. */
  readonly isDisclosed: boolean;
  /** null while it runs, and after a crash until the next participation settles it. */
  readonly end: { readonly atMs: InstantMs; readonly ending: Ending } | null;
};

const ledgerPrefix = "ledger/";

/** All entries, oldest first. */
export async function readLedger(store: DeviceStore): Promise<readonly LedgerEntry[]> {
  const records = await store.recordsUnder(ledgerPrefix);
  return records.map(({ value }) => entryOfRecord(value));
}

/** The open entry of one participation: every change of it is written together with what it goes with. */
export class LedgerWriter {
  readonly #store: DeviceStore;
  #entry: LedgerEntry;

  private constructor(store: DeviceStore, entry: LedgerEntry) {
    this.#store = store;
    this.#entry = entry;
  }

  /** Opens a new entry; the oldest one beyond the limit is dropped. Nothing is written yet. */
  static async open(store: DeviceStore, startedAtMs: InstantMs): Promise<LedgerWriter> {
    const last = await store.record("ledger-last");
    const id = typeof last === "number" ? last + 1 : 1;
    return new LedgerWriter(store, { id, startedAtMs, offered: [], declined: [], phases: "", place: null, isDisclosed: false, end: null });
  }

  /** The entry that a crash left open; null when it is gone. */
  static async reopen(store: DeviceStore, id: number): Promise<LedgerWriter | null> {
    const value = await store.record(entryKey(id));
    return value === undefined ? null : new LedgerWriter(store, entryOfRecord(value));
  }

  get entry(): LedgerEntry {
    return this.#entry;
  }

  /** Notes in memory that a phase was reached; the next `write` keeps it. */
  reached(phase: Phase): void {
    this.#entry = { ...this.#entry, phases: this.#entry.phases + phaseLetters[phase] };
  }

  /** Notes in memory what came of the offers; an entry is only written together with what will end it. */
  weighed(offers: Pick<LedgerEntry, "offered" | "declined">): void {
    this.#entry = { ...this.#entry, ...offers };
  }

  /** Writes the entry with `changes`, and `writes`, in one transaction. */
  async write(changes: Partial<Omit<LedgerEntry, "id" | "startedAtMs" | "phases">>, writes: readonly StoreWrite[] = []): Promise<void> {
    this.#entry = { ...this.#entry, ...changes };
    const { id } = this.#entry;
    await this.#store.write([
      ...writes,
      { kind: "put-record", key: "ledger-last", value: id },
      { kind: "put-record", key: entryKey(id), value: recordOfEntry(this.#entry) },
      { kind: "delete-record", key: entryKey(Math.max(0, id - ledgerEntriesMax)) },
    ]);
  }
}

/** Fixed width, so that the order of keys is the order of entries. */
function entryKey(id: number): string {
  return `${ledgerPrefix}${String(id).padStart(12, "0")}`;
}

/** An entry holds JSON values only; the types of its parts are closed, Json's are open. */
function recordOfEntry(entry: LedgerEntry): Json {
  return entry;
}

/** The device alone writes under the ledger's prefix, so the shape is checked at its root only. */
function entryOfRecord(value: Json): LedgerEntry {
  assert(typeof value === "object" && value !== null && "id" in value && "startedAtMs" in value, "a ledger record is an entry");
  const entry = value as unknown as LedgerEntry;
  return { ...entry, startedAtMs: instantMs(entry.startedAtMs) };
}
