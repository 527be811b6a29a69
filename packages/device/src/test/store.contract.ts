import { assert, equalBytes } from "@tutti/base";
import { canonicalJson, type Json } from "@tutti/protocol";
import type { DeviceStore } from "../platform.ts";
import { rejects, type Clause } from "./contract.ts";

/** What every device's store does; each clause gets an empty one. Runs anywhere, a page included. */
export const storeContract: readonly Clause<DeviceStore>[] = [
  {
    name: "what was never written is undefined, as record and as bytes",
    run: async (store) => {
      assert((await store.record("x")) === undefined && (await store.bytes("x")) === undefined, "nothing is there");
      assert((await store.recordsUnder("")).length === 0, "and nothing is listed");
    },
  },
  {
    name: "a record comes back as the JSON that was written, and the last write counts",
    run: async (store) => {
      const value: Json = { text: "é\u0000😀", numbers: [0, -1.5, 1e300], nothing: null, yes: true, nested: { list: [] } };
      await store.write([{ kind: "put-record", key: "x", value: 1 }, { kind: "put-record", key: "x", value }]);
      assert(canonicalJson(await recordOf(store, "x")) === canonicalJson(value), "the record is the one last written");
    },
  },
  {
    name: "bytes come back as they were when they were written, views included, and a record of the same key stays apart",
    run: async (store) => {
      const whole = Uint8Array.of(9, 1, 2, 3, 9);
      await store.write([{ kind: "put-bytes", key: "x", bytes: whole.subarray(1, 4) }, { kind: "put-record", key: "x", value: "record" }]);
      whole.fill(0);
      const first = await store.bytes("x");
      assert(first !== undefined && equalBytes(first, Uint8Array.of(1, 2, 3)), "the bytes of the view");
      first.fill(7);
      const second = await store.bytes("x");
      assert(second !== undefined && equalBytes(second, Uint8Array.of(1, 2, 3)), "a reader cannot change them");
      assert((await store.record("x")) === "record", "the record is untouched");
    },
  },
  {
    name: "a prefix gives its own records alone, in the order of their keys",
    run: async (store) => {
      await store.write(["p/10", "p/2", "p/1", "q/1", "p", "o/9"].map((key) => ({ kind: "put-record", key, value: key }) as const));
      await store.write([{ kind: "put-bytes", key: "p/3", bytes: Uint8Array.of(1) }]);
      const under = await store.recordsUnder("p/");
      assert(under.map(({ key }) => key).join() === "p/1,p/10,p/2", "UTF-16 order, bytes not among them");
      assert(under.every(({ key, value }) => key === value), "each with its value");
      assert((await store.recordsUnder("")).length === 6, "the empty prefix gives all records");
    },
  },
  {
    name: "deleting removes the record or the bytes alone, and deleting what is absent changes nothing",
    run: async (store) => {
      await store.write([{ kind: "put-record", key: "x", value: 1 }, { kind: "put-bytes", key: "x", bytes: Uint8Array.of(1) }]);
      await store.write([{ kind: "delete-record", key: "x" }, { kind: "delete-record", key: "y" }, { kind: "delete-bytes", key: "y" }]);
      assert((await store.record("x")) === undefined && (await store.bytes("x")) !== undefined, "the record is gone, the bytes are not");
      await store.write([{ kind: "delete-bytes", key: "x" }]);
      assert((await store.bytes("x")) === undefined, "and now they are");
    },
  },
  {
    name: "a write that fails half-way leaves nothing of itself",
    run: async (store) => {
      await store.write([{ kind: "put-record", key: "x", value: 1 }]);
      const bad = { kind: "put-record", key: "y", value: unwritable() as Json } as const;
      const failed = await rejects(store.write([{ kind: "put-record", key: "x", value: 2 }, { kind: "put-bytes", key: "z", bytes: Uint8Array.of(1) }, bad]));
      assert(failed, "a value that no JSON spells is refused");
      assert((await store.record("x")) === 1 && (await store.bytes("z")) === undefined, "and nothing before it was kept");
    },
  },
  {
    name: "writes that are begun together end as if one came after the other",
    run: async (store) => {
      const pair = (value: number) => store.write([{ kind: "put-record", key: "a", value }, { kind: "put-record", key: "b", value }]);
      await Promise.all([1, 2, 3, 4].map(pair));
      assert((await store.record("a")) === (await store.record("b")), "both halves are of one write");
    },
  },
];

/** What neither JSON nor a structured clone can hold: an object that throws when it is read. */
function unwritable(): unknown {
  return Object.defineProperty({}, "value", { enumerable: true, get: () => assert(false, "this value cannot be read") });
}

async function recordOf(store: DeviceStore, key: string): Promise<Json> {
  const value = await store.record(key);
  assert(value !== undefined, `there is a record ${key}`);
  return value;
}
