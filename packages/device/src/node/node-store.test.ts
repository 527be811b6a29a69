import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeCrypto } from "./node-crypto.ts";
import { NodeDatabase, nodeStore } from "./node-store.ts";

test("devices of one database do not see each other's records, bytes or keys", async () => {
  const database = new NodeDatabase(":memory:");
  await nodeStore(database, "a").write([{ kind: "put-record", key: "x", value: 1 }, { kind: "put-bytes", key: "x", bytes: Uint8Array.of(1) }]);
  await nodeCrypto(database, "a").createKey("k");
  const store = nodeStore(database, "b");
  expect([await store.record("x"), await store.bytes("x"), await store.recordsUnder(""), await nodeCrypto(database, "b").key("k")]).toEqual([undefined, undefined, [], undefined]);
});

test("what was written is there when the file is opened again, and what was erased is in no file of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-store-"));
  try {
    const file = join(folder, "device.sqlite");
    const secret = "a-capability-that-must-go";
    const first = new NodeDatabase(file);
    await nodeStore(first, "a").write([{ kind: "put-record", key: "kept", value: "yes" }, { kind: "put-record", key: "gone", value: secret }]);
    await nodeStore(first, "a").write([{ kind: "delete-record", key: "gone" }, { kind: "delete-bytes", key: "gone" }]);
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(secret)).toBe(false);
    first.close();
    const second = new NodeDatabase(file);
    expect(await nodeStore(second, "a").record("kept")).toBe("yes");
    second.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
