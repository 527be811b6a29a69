import { ok } from "@tutti/base";
import { expect, test } from "vitest";
import { NodeDatabase, processLock } from "./node/index.ts";
import { nodeCrypto } from "./node/node-crypto.ts";
import { nodeStore } from "./node/node-store.ts";
import type { DeviceCrypto, DeviceStore, Lock } from "./platform.ts";
import type { Clause } from "./test/contract.ts";
import { cryptoContract } from "./test/crypto.contract.ts";
import { lockContract } from "./test/lock.contract.ts";
import { memoryStore } from "./test/memory-store.ts";
import { storeContract } from "./test/store.contract.ts";

const memoryCrypto = () => nodeCrypto(new NodeDatabase(":memory:"), "device");

test.for([...storeContract])("the Node store: $name", async (clause) => {
  await expect(clause.run(nodeStore(new NodeDatabase(":memory:"), "device"))).resolves.toBeUndefined();
});
test.for([...storeContract])("the store of these tests: $name", async (clause) => {
  await expect(clause.run(memoryStore())).resolves.toBeUndefined();
});
test.for([...cryptoContract])("the Node crypto: $name", async (clause) => {
  await expect(clause.run(memoryCrypto())).resolves.toBeUndefined();
});
test.for([...lockContract])("the lock of a process: $name", async (clause) => {
  await expect(clause.run(processLock())).resolves.toBeUndefined();
});

/** Which clauses a subject with a planted fault breaks. */
async function broken<Subject>(contract: readonly Clause<Subject>[], subject: () => Subject): Promise<readonly string[]> {
  const outcomes = await Promise.all(contract.map((clause) => clause.run(subject()).then(() => null, () => clause.name)));
  return outcomes.filter((name) => name !== null);
}

test.for<[string, (store: DeviceStore) => DeviceStore, RegExp]>([
  ["writes one by one", (store) => ({ ...store, write: async (writes) => { for (const write of writes) await store.write([write]); } }), /half-way/],
  ["lists its records in any order", (store) => ({ ...store, recordsUnder: async (prefix) => (await store.recordsUnder(prefix)).toReversed() }), /order of their keys/],
  ["ignores the prefix", (store) => ({ ...store, recordsUnder: () => store.recordsUnder("") }), /order of their keys/],
  ["forgets to delete bytes", (store) => ({ ...store, write: (writes) => store.write(writes.filter(({ kind }) => kind !== "delete-bytes")) }), /deleting/],
  ["gives everybody the same bytes", sharingBytes, /bytes come back/],
])("the store's contract catches a store that %s", async ([, spoil, clause]) => {
  expect((await broken(storeContract, () => spoil(memoryStore()))).join()).toMatch(clause);
});

function sharingBytes(store: DeviceStore): DeviceStore {
  const given = new Map<string, Promise<Uint8Array<ArrayBuffer> | undefined>>();
  return { ...store, bytes: (key) => given.get(key) ?? (given.set(key, store.bytes(key)), store.bytes(key).then(() => given.get(key))) };
}

test.for<[string, (crypto: DeviceCrypto) => DeviceCrypto]>([
  ["believes every signature", (crypto) => ({ ...crypto, verify: () => Promise.resolve(true) })],
  ["believes none", (crypto) => ({ ...crypto, verify: () => Promise.resolve(false) })],
  ["never erases", (crypto) => ({ ...crypto, eraseKey: () => Promise.resolve() })],
  ["hashes the whole buffer of a view", (crypto) => ({ ...crypto, sha256: (bytes) => crypto.sha256(new Uint8Array(bytes.buffer)) })],
  ["has one key for all names", (crypto) => ({ ...crypto, createKey: async () => (await crypto.key("only")) ?? crypto.createKey("only") })],
])("the crypto's contract catches a crypto that %s", async ([, spoil]) => {
  expect(await broken(cryptoContract, () => spoil(memoryCrypto()))).not.toEqual([]);
});

test.for<[string, () => Lock]>([
  ["lets everybody in", () => ({ ifFree: async (_, work) => ok(await work()) })],
  ["is one lock for all names", () => { const lock = processLock(); return { ifFree: (_, work) => lock.ifFree("one", work) }; }],
  ["is never free again", neverFree],
])("the lock's contract catches a lock that %s", async ([, spoiled]) => {
  expect(await broken(lockContract, spoiled)).not.toEqual([]);
});

function neverFree(): Lock {
  const held = new Set<string>();
  return {
    ifFree: async (name, work) => {
      if (held.has(name)) return { ok: false, error: { code: "held" } };
      held.add(name);
      return ok(await work());
    },
  };
}
