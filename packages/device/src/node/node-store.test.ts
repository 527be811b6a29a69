import { expect, test } from "vitest";
import { NodeDatabase, nodeStore } from "./node-store.ts";

test("a write that fails half-way leaves nothing of itself", async () => {
  const store = nodeStore(new NodeDatabase(":memory:"), "a");
  await store.write([{ kind: "put-record", key: "x", value: 1 }]);
  const circular: { self?: unknown } = {};
  circular.self = circular;
  await expect(store.write([{ kind: "put-record", key: "x", value: 2 }, { kind: "put-record", key: "y", value: circular as never }])).rejects.toThrow();
  expect(await store.record("x")).toBe(1);
});

test("records come in the order of their keys, under their prefix only, and devices do not see each other", async () => {
  const database = new NodeDatabase(":memory:");
  const store = nodeStore(database, "a");
  await store.write(["p/2", "p/1", "q/1"].map((key) => ({ kind: "put-record", key, value: key }) as const));
  expect((await store.recordsUnder("p/")).map(({ key }) => key)).toEqual(["p/1", "p/2"]);
  expect(await nodeStore(database, "b").recordsUnder("p/")).toEqual([]);
});
