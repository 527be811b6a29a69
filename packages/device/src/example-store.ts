import { assert, err, hexFromBytes, ok, type Bytes, type DurationMs, type Result } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import type { DataQuery, Json } from "@tutti/protocol";
import { collectionBatchesMax } from "./limits.ts";
import type { Platform, StoreWrite } from "./platform.ts";

/** How long and how much a collection keeps; the oldest batches go first. */
export type CollectionRules = { readonly lifeMs: DurationMs; readonly bytesMax: number };

/** One batch as its record describes it; the values lie under `bytesKey`, inputs before targets. */
type BatchRecord = {
  readonly key: string;
  readonly schemaVersion: number;
  readonly exampleCount: number;
  readonly addedAtMs: number;
  readonly inputs: { readonly type: "float32" | "int32"; readonly count: number };
  readonly targets: { readonly type: "float32" | "int32"; readonly count: number };
};

const prefix = "examples/";

type Ports = Pick<Platform, "store" | "clock" | "random">;

/** The app's examples on this device: collections by name and schema version, in batches as they were added. */
export class ExampleStore {
  readonly #ports: Ports;
  readonly #rules: CollectionRules;

  constructor(ports: Ports, rules: CollectionRules) {
    this.#ports = ports;
    this.#rules = rules;
  }

  /**
   * Adds a batch; expired batches and, over the size cap, the oldest ones go in the same transaction.
   * Refuses a batch that is empty, uneven, or alone over the cap; then nothing changes.
   */
  async add(collection: string, schemaVersion: number, batch: BatchSource): Promise<Result<void, { readonly code: "bad-examples"; readonly expected: string }>> {
    const expected = batchFault(collection, schemaVersion, batch, this.#rules.bytesMax);
    if (expected !== null) return err({ code: "bad-examples", expected });
    const kept = await this.#batches(collection);
    const { clock, random, store } = this.#ports;
    const number = kept.reduce((last, { key }) => Math.max(last, numberOf(key)), 0) + 1;
    // Tabs may add at the same time: the random end keeps both batches, whatever number they take.
    const key = `${prefix}${collection}/${String(number).padStart(numberDigits, "0")}-${hexFromBytes(random.bytes(4))}`;
    const gone = this.#surplus(kept, byteCount(batch));
    await store.write([
      ...gone.flatMap(deletion),
      { kind: "put-record", key, value: recordOf(schemaVersion, batch, clock.now()) },
      { kind: "put-bytes", key, bytes: bytesOf(batch) },
    ]);
    return ok(undefined);
  }

  /** Living examples at exactly this schema version; others are not read. */
  async count(query: Pick<DataQuery, "collection" | "schemaVersion">): Promise<number> {
    return (await this.#living(query)).reduce((sum, batch) => sum + batch.exampleCount, 0);
  }

  /** The newest living examples of the query, at most `examplesMax`, oldest first; null when their shapes disagree. */
  async read(query: DataQuery): Promise<BatchSource | null> {
    const batches: BatchSource[] = [];
    let wanted = query.examplesMax;
    for (const record of (await this.#living(query)).toReversed()) {
      if (wanted === 0) break;
      const bytes = await this.#ports.store.bytes(record.key);
      if (bytes === undefined) continue;
      const batch = newest(batchOf(record, bytes), wanted);
      batches.unshift(batch);
      wanted -= batch.exampleCount;
    }
    return joined(batches);
  }

  /** Erases a collection, or all of them. */
  async erase(collection?: string): Promise<void> {
    const batches = await this.#batches(collection);
    await this.#ports.store.write(batches.flatMap(deletion));
  }

  /** Erases what has outlived its time, also of collections to which nothing is added any more. */
  async eraseExpired(): Promise<void> {
    const expired = (await this.#batches()).filter((batch) => !this.#isLiving(batch));
    if (expired.length > 0) await this.#ports.store.write(expired.flatMap(deletion));
  }

  #isLiving({ addedAtMs }: BatchRecord): boolean {
    return addedAtMs >= this.#ports.clock.now() - this.#rules.lifeMs;
  }

  async #living(query: Pick<DataQuery, "collection" | "schemaVersion">): Promise<readonly BatchRecord[]> {
    return (await this.#batches(query.collection)).filter((batch) => batch.schemaVersion === query.schemaVersion && this.#isLiving(batch));
  }

  async #batches(collection?: string): Promise<readonly BatchRecord[]> {
    const records = await this.#ports.store.recordsUnder(collection === undefined ? prefix : `${prefix}${collection}/`);
    return records.map(({ key, value }) => ({ ...(value as unknown as Omit<BatchRecord, "key">), key }));
  }

  /** What must go for `added` bytes to fit: the expired, then the oldest. */
  #surplus(batches: readonly BatchRecord[], added: number): readonly BatchRecord[] {
    let bytes = added + batches.reduce((sum, batch) => sum + storedBytes(batch), 0);
    let left = batches.length + 1;
    const gone: BatchRecord[] = [];
    for (const batch of batches) {
      if (this.#isLiving(batch) && bytes <= this.#rules.bytesMax && left <= collectionBatchesMax) break;
      gone.push(batch);
      bytes -= storedBytes(batch);
      left--;
    }
    return gone;
  }
}

function batchFault(collection: string, schemaVersion: number, batch: BatchSource, bytesMax: number): string | null {
  const { exampleCount, inputs, targets } = batch;
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(collection)) return "a collection's name of letters, digits, hyphens and underscores";
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1) return "a schema version of at least 1";
  if (!Number.isInteger(exampleCount) || exampleCount < 1) return "at least one example";
  if (inputs.length === 0 || inputs.length % exampleCount !== 0) return "as many inputs for each example";
  if (targets.length === 0 || targets.length % exampleCount !== 0) return "as many targets for each example";
  if (byteCount(batch) > bytesMax) return `at most ${bytesMax} bytes in a collection`;
  return null;
}

const numberDigits = 12;

/** The part of a batch's key by which batches are in order. */
function numberOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1).slice(0, numberDigits));
}

function deletion({ key }: BatchRecord): readonly StoreWrite[] {
  return [{ kind: "delete-record", key }, { kind: "delete-bytes", key }];
}

function recordOf(schemaVersion: number, batch: BatchSource, addedAtMs: number): Json {
  const { exampleCount, inputs, targets } = batch;
  return { schemaVersion, exampleCount, addedAtMs, inputs: { type: typeOf(inputs), count: inputs.length }, targets: { type: typeOf(targets), count: targets.length } };
}

function typeOf(values: Float32Array | Int32Array): "float32" | "int32" {
  return values instanceof Float32Array ? "float32" : "int32";
}

function byteCount({ inputs, targets }: BatchSource): number {
  return inputs.byteLength + targets.byteLength;
}

function storedBytes({ inputs, targets }: BatchRecord): number {
  return 4 * (inputs.count + targets.count);
}

function bytesOf({ inputs, targets }: BatchSource): Bytes {
  const bytes = new Uint8Array(inputs.byteLength + targets.byteLength);
  bytes.set(new Uint8Array(inputs.buffer, inputs.byteOffset, inputs.byteLength));
  bytes.set(new Uint8Array(targets.buffer, targets.byteOffset, targets.byteLength), inputs.byteLength);
  return bytes;
}

function batchOf(record: BatchRecord, bytes: Bytes): BatchSource {
  assert(bytes.length === storedBytes(record), "a batch's bytes are as long as its record says");
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const { inputs, targets } = record;
  const values = ({ type, count }: BatchRecord["inputs"], start: number) =>
    type === "float32" ? new Float32Array(aligned.buffer, start, count) : new Int32Array(aligned.buffer, start, count);
  return { exampleCount: record.exampleCount, inputs: values(inputs, aligned.byteOffset), targets: values(targets, aligned.byteOffset + 4 * inputs.count) };
}

function newest(batch: BatchSource, countMax: number): BatchSource {
  const skipped = Math.max(0, batch.exampleCount - countMax);
  const from = (values: Float32Array | Int32Array) => values.subarray((values.length / batch.exampleCount) * skipped);
  return { exampleCount: batch.exampleCount - skipped, inputs: from(batch.inputs), targets: from(batch.targets) };
}

/** One batch of all; null when there is none, or types or sizes of an example differ. */
function joined(batches: readonly BatchSource[]): BatchSource | null {
  const exampleCount = batches.reduce((sum, batch) => sum + batch.exampleCount, 0);
  const inputs = joinedValues(batches.map((batch) => [batch.inputs, batch.exampleCount]), exampleCount);
  const targets = joinedValues(batches.map((batch) => [batch.targets, batch.exampleCount]), exampleCount);
  return inputs === null || targets === null ? null : { exampleCount, inputs, targets };
}

function joinedValues(parts: readonly (readonly [Float32Array | Int32Array, number])[], exampleCount: number): Float32Array | Int32Array | null {
  const [first] = parts;
  if (first === undefined) return null;
  const width = first[0].length / first[1];
  const type = typeOf(first[0]);
  if (parts.some(([values, count]) => values.length !== width * count || typeOf(values) !== type)) return null;
  const whole = type === "float32" ? new Float32Array(width * exampleCount) : new Int32Array(width * exampleCount);
  let at = 0;
  for (const [values] of parts) {
    whole.set(values, at);
    at += values.length;
  }
  return whole;
}
