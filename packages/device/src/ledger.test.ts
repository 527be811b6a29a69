import { instantMs } from "@tutti/base";
import { expect, test } from "vitest";
import { LedgerWriter, readLedger } from "./ledger.ts";
import { ledgerEntriesMax } from "./limits.ts";
import { memoryStore } from "./test/memory-store.ts";

test("the ledger keeps its newest entries, oldest first, and no more than its limit", async () => {
  const store = memoryStore();
  for (let i = 1; i <= ledgerEntriesMax + 3; i++) await (await LedgerWriter.open(store, instantMs(i))).write({});
  const entries = await readLedger(store);
  expect(entries).toHaveLength(ledgerEntriesMax);
  expect(entries.map(({ id }) => id)).toEqual(Array.from({ length: ledgerEntriesMax }, (_, i) => i + 4));
});

test("an entry is written together with what it goes with, or not at all", async () => {
  const store = memoryStore();
  const ledger = await LedgerWriter.open(store, instantMs(1));
  ledger.reached("checkedIn");
  await ledger.write({ isDisclosed: true }, [{ kind: "put-record", key: "with", value: 1 }]);
  expect(await readLedger(store)).toMatchObject([{ id: 1, phases: "c", isDisclosed: true }]);
  const bad = Object.defineProperty({}, "value", { enumerable: true, get: () => { throw new Error("unreadable"); } });
  await expect(ledger.write({ isDisclosed: false }, [{ kind: "put-record", key: "with", value: bad as never }])).rejects.toThrow("unreadable");
  expect(await readLedger(store)).toMatchObject([{ isDisclosed: true }]);
});

test("an entry that is open is found again by its number, and one that is gone is not", async () => {
  const store = memoryStore();
  await (await LedgerWriter.open(store, instantMs(7))).write({ offered: [] });
  expect((await LedgerWriter.reopen(store, 1))?.entry).toMatchObject({ id: 1, startedAtMs: 7, end: null });
  expect(await LedgerWriter.reopen(store, 2)).toBeNull();
});
