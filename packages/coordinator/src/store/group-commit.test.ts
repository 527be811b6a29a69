import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { settled } from "../test/manual-clock.ts";
import { groupChangesMax, groupPauseMs, groupRowsEnough } from "./limits.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { AssignmentRow } from "./store.ts";
import { FaultyDatabase } from "./test/faulty-database.ts";
import { names, round, withRound } from "./test/rows.ts";

const folder = mkdtempSync(join(tmpdir(), "tutti-group-commit-"));
let fileCount = 0;
let database: FaultyDatabase;
let store: SqliteStore;
let nextSlot = 0;

const row = (): AssignmentRow => ({ round: round(0), slot: nextSlot, requestId: `request-${nextSlot++}` });
const addRows = (count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, () => store.addAssignment(row())));

/** An idle store with an open round: no pause runs. Time stands still but for `advanceTimersByTime`. */
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  database = new FaultyDatabase(join(folder, `${fileCount++}.sqlite`));
  store = new SqliteStore(database);
  await withRound(store);
  vi.advanceTimersByTime(groupPauseMs);
  database.transactionCount = 0;
});
afterEach(async () => {
  await store.close();
  vi.useRealTimers();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a group commit", () => {
  test("of an idle store waits for nothing", async () => {
    await store.addAssignment(row());
    expect(database.transactionCount).toBe(1);
  });

  test("holds a row that comes in the pause after another until the pause is over", async () => {
    await store.addAssignment(row());
    const second = store.addAssignment(row());
    vi.advanceTimersByTime(groupPauseMs - 1);
    await settled();
    expect(database.transactionCount).toBe(1);
    vi.advanceTimersByTime(1);
    await second;
    expect(database.transactionCount).toBe(2);
  });

  test("comes in the pause as soon as enough rows wait, and not for one less", async () => {
    await store.addAssignment(row());
    const almost = addRows(groupRowsEnough - 1);
    await settled();
    expect(database.transactionCount).toBe(1);
    await Promise.all([almost, addRows(1)]);
    expect(database.transactionCount).toBe(2);
  });

  test("comes in the pause for a change that is no hot row, and takes the rows along", async () => {
    await store.addAssignment(row());
    await Promise.all([store.addAssignment(row()), store.saveProgress({ ...names, progress: {} })]);
    expect(database.transactionCount).toBe(2);
  });

  test("is one for all that come at once, up to its maximum", async () => {
    await addRows(groupChangesMax);
    expect(database.transactionCount).toBe(1);
    await addRows(2 * groupChangesMax + 1);
    expect(database.transactionCount).toBe(4);
  });
});
