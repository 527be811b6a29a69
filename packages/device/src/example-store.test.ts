import { durationMs, instantMs } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import { array, assert, asyncProperty, integer } from "fast-check";
import { expect, test } from "vitest";
import { ExampleStore, type CollectionRules } from "./example-store.ts";
import { seededBytes } from "./test/device-world.ts";
import { memoryStore } from "./test/memory-store.ts";

const query = { collection: "windows", schemaVersion: 1, examplesMin: 1, examplesMax: 1000 };
const dayMs = 24 * 3_600_000;

function emptyStore(rules: Partial<CollectionRules> = {}) {
  let now = 1e12;
  const store = memoryStore();
  const clock = { now: () => instantMs(now), sleep: () => Promise.reject(new Error("nobody sleeps here")) };
  const examples = new ExampleStore({ store, clock, random: seededBytes(1) }, { lifeMs: durationMs(30 * dayMs), bytesMax: 1e6, ...rules });
  return { examples, store, pass: (ms: number) => (now += ms) };
}

/** Examples of one feature, numbered from `first`; 8 bytes each. */
function numbered(first: number, exampleCount: number): BatchSource {
  const values = Array.from({ length: exampleCount }, (_, i) => first + i);
  return { exampleCount, inputs: Float32Array.from(values), targets: Int32Array.from(values) };
}

test("examples come back in the order in which they were added, as many of the newest as are asked for", async () => {
  await assert(asyncProperty(array(integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 14 }), integer({ min: 1, max: 60 }), async (counts, examplesMax) => {
    const { examples } = emptyStore();
    let total = 0;
    for (const count of counts) {
      await examples.add("windows", 1, numbered(total, count));
      total += count;
    }
    const first = Math.max(0, total - examplesMax);
    expect(await examples.read({ ...query, examplesMax })).toEqual(numbered(first, total - first));
    expect(await examples.count(query)).toBe(total);
  }), { numRuns: 60 });
});

test("batches that are added at the same time are all kept", async () => {
  const { examples } = emptyStore();
  await Promise.all([0, 1, 2, 3].map((i) => examples.add("windows", 1, numbered(10 * i, 2))));
  expect(await examples.count(query)).toBe(8);
});

test("another schema version, and another collection, are not read", async () => {
  const { examples } = emptyStore();
  await examples.add("windows", 1, numbered(0, 1));
  await examples.add("windows", 2, numbered(10, 2));
  await examples.add("windows-2", 1, numbered(20, 4));
  expect([await examples.count(query), await examples.count({ ...query, schemaVersion: 2 }), await examples.count({ ...query, collection: "windows-2" })]).toEqual([1, 2, 4]);
  expect(await examples.read({ ...query, schemaVersion: 3 })).toBeNull();
});

test("examples live exactly as long as the rules say", async () => {
  const { examples, pass } = emptyStore({ lifeMs: durationMs(1000) });
  await examples.add("windows", 1, numbered(0, 1));
  pass(1000);
  expect(await examples.count(query)).toBe(1);
  pass(1);
  expect([await examples.count(query), await examples.read(query)]).toEqual([0, null]);
});

test("over the cap the oldest batches go, and the newest always stays", async () => {
  const { examples, store } = emptyStore({ bytesMax: 80 });
  for (let i = 0; i < 5; i++) await examples.add("windows", 1, numbered(4 * i, 4));
  // 80 bytes hold two batches of 32.
  expect(await examples.read(query)).toEqual(numbered(12, 8));
  expect([...store.byteStrings.values()].reduce((sum, bytes) => sum + bytes.length, 0)).toBe(64);
  await examples.add("windows", 1, numbered(90, 10));
  expect(await examples.read(query)).toEqual(numbered(90, 10));
});

test.for<[string, string, number, BatchSource]>([
  ["of no example", "windows", 1, { exampleCount: 0, inputs: new Float32Array(0), targets: new Int32Array(0) }],
  ["of half an example", "windows", 1, { exampleCount: 2, inputs: new Float32Array(3), targets: new Int32Array(2) }],
  ["without targets", "windows", 1, { exampleCount: 1, inputs: new Float32Array(1), targets: new Int32Array(0) }],
  ["larger than its collection", "windows", 1, numbered(0, 11)],
  ["of schema version 0", "windows", 0, numbered(0, 1)],
  ["in a collection whose name leads elsewhere", "windows/../blob", 1, numbered(0, 1)],
])("a batch %s is refused, and nothing changes", async ([, collection, schemaVersion, batch]) => {
  const { examples, store } = emptyStore({ bytesMax: 80 });
  await examples.add("windows", 1, numbered(0, 10));
  const before = [...store.records];
  expect(await examples.add(collection, schemaVersion, batch)).toMatchObject({ ok: false, error: { code: "bad-examples" } });
  expect([...store.records]).toEqual(before);
});

test("batches of different shapes or types are not joined", async () => {
  const { examples } = emptyStore();
  await examples.add("windows", 1, numbered(0, 2));
  await examples.add("windows", 1, { exampleCount: 1, inputs: new Float32Array(2), targets: Int32Array.of(0) });
  expect(await examples.read(query)).toBeNull();
  // The newest alone is whole.
  expect((await examples.read({ ...query, examplesMax: 1 }))?.inputs).toEqual(new Float32Array(2));
});

test("float and integer values come back as they were, whichever side they are on", async () => {
  const { examples } = emptyStore();
  const batch = { exampleCount: 2, inputs: Int32Array.of(-1, 2 ** 31 - 1), targets: Float32Array.of(-0, 1e-45, 3e38, 1) };
  await examples.add("tokens", 1, batch);
  expect(await examples.read({ ...query, collection: "tokens" })).toEqual(batch);
});

test("one collection is erased alone", async () => {
  const { examples } = emptyStore();
  await examples.add("windows", 1, numbered(0, 1));
  await examples.add("windows-2", 1, numbered(0, 1));
  await examples.erase("windows");
  expect([await examples.count(query), await examples.count({ ...query, collection: "windows-2" })]).toEqual([0, 1]);
});
