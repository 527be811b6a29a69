import { AssertionError, instantMs } from "@tutti/base";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, cpSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DataFolderCorruptError, DataFolderLockedError } from "./data-folder-errors.ts";
import { erasureRetryMs } from "./limits.ts";
import { openSqliteStore, SqliteStore } from "./sqlite-store.ts";
import { StoreFullError, type Store } from "./store.ts";
import { FaultyDatabase } from "./test/faulty-database.ts";
import { closedRow, closing, contentOf, names, nextModel, openRoundRow, round, withRound, withTask } from "./test/rows.ts";

const folders = mkdtempSync(join(tmpdir(), "tutti-sqlite-store-"));
const newFolder = (): string => mkdtempSync(join(folders, "data-"));
let folder = "";

beforeEach(() => {
  folder = newFolder();
});
afterAll(() => rmSync(folders, { recursive: true }));

const fileOf = (data: string): string => join(data, "tutti.sqlite");
/** Reading them drops this process's locks on them (POSIX): the last thing that a test does with a store's folder. */
const allBytesOf = (data: string): Buffer => Buffer.concat(readdirSync(data).map((name) => readFileSync(join(data, name))));
const keyOf = (number: number): Buffer => Buffer.from(openRoundRow(round(number)).sumKey);

describe("the key of a closed round", () => {
  afterEach(() => vi.useRealTimers());

  test("is in no file of the folder when closeRound resolves, and those of open rounds are", async () => {
    const store = await openSqliteStore({ folder });
    await withTask(store);
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    for (const number of numbers) await store.openRound(openRoundRow(round(number), { state: { filling: "s".repeat(37 * number) } }));
    await Promise.all(numbers.map((number) => store.saveRoundState(round(number), { filling: "t".repeat(1500 - 37 * number) })));
    await Promise.all(numbers.map((number) => store.addAssignment({ round: round(number), slot: 0, requestId: "a" })));
    const before = newFolder();
    cpSync(folder, before, { recursive: true });
    expect(numbers.filter((number) => allBytesOf(before).includes(keyOf(number)))).toEqual(numbers);
    // 7 and 40 have no common divisor: every second round, neighbours in no order.
    const ended = numbers.map((i) => (i * 7) % 40).filter((number) => number % 2 === 0);
    for (const number of ended) await store.closeRound(closing(round(number)));
    const bytes = allBytesOf(folder);
    expect(numbers.filter((number) => bytes.includes(keyOf(number)))).toEqual(numbers.filter((number) => number % 2 === 1));
  });

  test("holds closeRound back while the disk refuses to empty the log, and lets it go with a later change", async () => {
    const database = new FaultyDatabase(fileOf(folder));
    const store = new SqliteStore(database);
    await withRound(store);
    database.refusesErasure = true;
    const resolved = vi.fn<() => void>();
    const closed = store.closeRound(closing(round(0))).then(resolved);
    await store.saveProgress({ ...names, progress: 1 });
    expect(await store.closedRound(round(0))).toEqual(closedRow(round(0)));
    expect(resolved).not.toHaveBeenCalled();
    database.refusesErasure = false;
    await store.saveProgress({ ...names, progress: 2 });
    await closed;
    expect(allBytesOf(folder).includes(keyOf(0))).toBe(false);
  });

  test("is overwritten without another change when the disk takes it again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const database = new FaultyDatabase(fileOf(folder));
    const store = new SqliteStore(database);
    await withRound(store);
    database.refusesErasure = true;
    const closed = store.closeRound(closing(round(0)));
    await store.saveProgress({ ...names, progress: 1 });
    vi.advanceTimersByTime(3 * erasureRetryMs);
    database.refusesErasure = false;
    vi.advanceTimersByTime(erasureRetryMs);
    await closed;
    expect(allBytesOf(folder).includes(keyOf(0))).toBe(false);
  });

  test("is overwritten by the next start after a crash between the commit and the emptied log", async () => {
    const database = new FaultyDatabase(fileOf(folder));
    const store = new SqliteStore(database);
    await withRound(store);
    database.refusesErasure = true;
    const closed = store.closeRound(closing(round(0), { model: nextModel(1) }));
    await store.saveProgress({ ...names, progress: 1 });
    const crashed = newFolder();
    cpSync(folder, crashed, { recursive: true });
    expect(allBytesOf(crashed).includes(keyOf(0))).toBe(true);
    const reopened = await openSqliteStore({ folder: crashed });
    expect(await reopened.latestModel(names)).toEqual(nextModel(1));
    expect(allBytesOf(crashed).includes(keyOf(0))).toBe(false);
    await Promise.all([store.close(), expect(closed).rejects.toThrow("the next start does it")]);
  });
});

describe("a full disk", () => {
  const row = (slot: number) => ({ round: round(0), slot, requestId: `request-${slot}` });

  /** Hands out places, 100 at once, until the quota ends it; gives how many were handed out. */
  async function fill(store: Store): Promise<number> {
    for (let slot = 0; ; slot += 100) {
      const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => store.addAssignment(row(slot + i))));
      const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
      if (failures.length === 0) continue;
      expect(failures).toEqual(Array(100).fill(expect.any(StoreFullError)));
      return slot;
    }
  }

  test("fails a whole group and leaves nothing of it, and what was durable stands", async () => {
    const store = await openSqliteStore({ folder, pageCountMax: 40 });
    await withRound(store);
    const count = await fill(store);
    expect(count).toBeGreaterThan(100);
    expect(await store.assignments(round(0))).toEqual(Array.from({ length: count }, (_, slot) => row(slot)));
    await store.close();
    const reopened = await openSqliteStore({ folder });
    expect(await reopened.assignments(round(0))).toHaveLength(count);
    await reopened.addAssignment(row(count));
  });

  test("undoes all of a round's end, which succeeds when it is tried again with room", async () => {
    const store = await openSqliteStore({ folder, pageCountMax: 40 });
    await withRound(store);
    await fill(store);
    const before = await contentOf(store);
    const end = closing(round(0), { model: nextModel(1), reports: Array.from({ length: 5000 }, (_, slot) => ({ slot, fingerprint: "f".repeat(22) })) });
    await expect(store.closeRound(end)).rejects.toThrow(StoreFullError);
    expect(await contentOf(store)).toEqual(before);
    // Its places make room for a smaller end, and that for the next round.
    await store.closeRound({ ...end, reports: [] });
    await store.openRound(openRoundRow(round(1)));
    await store.addAssignment({ ...row(0), round: round(1) });
    expect(await store.latestModel(names)).toEqual(nextModel(1));
  });

  test("is said at the start when there is no room for the tables", async () => {
    await expect(openSqliteStore({ folder, pageCountMax: 3 })).rejects.toThrow(StoreFullError);
  });
});

describe("a held folder", () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  function startHolder(): ChildProcess {
    const child = spawn(process.execPath, ["--conditions=@tutti/source", fileURLToPath(new URL("./test/folder-holder.ts", import.meta.url)), folder]);
    children.push(child);
    return child;
  }

  test("is refused while another process holds it, and free, with all that was durable, once that is killed", async () => {
    const holder = startHolder();
    expect(String((await once(holder.stdout ?? holder, "data"))[0])).toBe("held\n");
    await expect(openSqliteStore({ folder })).rejects.toThrow(DataFolderLockedError);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const store = await openSqliteStore({ folder });
    expect(await store.assignments(round(0))).toHaveLength(500);
    expect(await store.openRounds()).toEqual([openRoundRow(round(0))]);
    await store.close();
  });

  test("is refused to a second store of the same process, which does not loosen the first one's hold", async () => {
    const store = await openSqliteStore({ folder });
    await expect(openSqliteStore({ folder })).rejects.toThrow(`${fileOf(folder)} is held by another coordinator`);
    const other = startHolder();
    const said = other.stderr?.setEncoding("utf8").reduce((text, part) => text + String(part), "");
    expect(await once(other, "exit")).toEqual([1, null]);
    expect(await said).toContain("DataFolderLockedError");
    await withTask(store);
    await store.close();
  });

  test("is free for the next store of the process when the first is closed", async () => {
    await (await withTask(await openSqliteStore({ folder }))).close();
    const store = await openSqliteStore({ folder });
    expect(await store.tasks()).toHaveLength(1);
    await store.close();
  });
});

describe("a damaged folder", () => {
  async function withPlaces(): Promise<void> {
    const store = await withRound(await openSqliteStore({ folder }));
    await Promise.all(Array.from({ length: 1000 }, (_, slot) => store.addAssignment({ round: round(0), slot, requestId: `request-${slot}` })));
    await store.close();
  }

  function alter(sql: string): void {
    const database = new DatabaseSync(fileOf(folder));
    database.exec(sql);
    database.close();
  }

  test("is refused when its file is no database, and left as it is", async () => {
    const text = "These are no pages of SQLite. ".repeat(500);
    writeFileSync(fileOf(folder), text);
    await expect(openSqliteStore({ folder })).rejects.toThrow(DataFolderCorruptError);
    await expect(openSqliteStore({ folder })).rejects.toThrow(`${fileOf(folder)} is damaged: Error: file is not a database`);
    expect(readFileSync(fileOf(folder), "utf8")).toBe(text);
  });

  test.each([2, 3, 9, 15, 20])("is refused when its page %i was overwritten", async (page) => {
    await withPlaces();
    const file = openSync(fileOf(folder), "r+");
    writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    closeSync(file);
    await expect(openSqliteStore({ folder })).rejects.toThrow(DataFolderCorruptError);
    await expect(openSqliteStore({ folder })).rejects.toThrow(fileOf(folder));
  });

  test("is refused when its file was cut short", async () => {
    await withPlaces();
    writeFileSync(fileOf(folder), readFileSync(fileOf(folder)).subarray(0, 10 * 4096));
    await expect(openSqliteStore({ folder })).rejects.toThrow(DataFolderCorruptError);
  });

  test("is refused when a newer version of the program wrote it", async () => {
    await withPlaces();
    alter("PRAGMA user_version = 2");
    await expect(openSqliteStore({ folder })).rejects.toThrow(DataFolderCorruptError);
    await expect(openSqliteStore({ folder })).rejects.toThrow(`${fileOf(folder)} has version 2 of the schema, and this program knows 1`);
  });

  test("is refused when the database is another program's", async () => {
    alter("CREATE TABLE theirs (x)");
    await expect(openSqliteStore({ folder })).rejects.toThrow(`${fileOf(folder)} is a database of another program`);
  });
});

describe("a SQLite store", () => {
  test("makes its file readable and writable for its owner alone, and the log with it", async () => {
    const store = await withTask(await openSqliteStore({ folder }));
    const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
    expect(modes).toEqual([["tutti.sqlite", 0o600], ["tutti.sqlite-wal", 0o600]]);
    await store.close();
    expect(readdirSync(folder)).toEqual(["tutti.sqlite"]);
  });

  test("takes a call after close for a broken promise", async () => {
    const store = await openSqliteStore({ folder });
    await store.close();
    await expect(store.populations()).rejects.toThrow(AssertionError);
    await expect(store.saveProgress({ ...names, progress: 1 })).rejects.toThrow(AssertionError);
  });

  test("keeps moments to the last bit", async () => {
    const store = await withTask(await openSqliteStore({ folder }));
    const moments = [0.1, 1e21, -1, 2 ** 53 + 2, 1_790_000_000_000].map((moment) => instantMs(moment));
    for (const [number, openedAt] of moments.entries()) await store.openRound(openRoundRow(round(number), { openedAt }));
    expect((await store.openRounds()).map(({ openedAt }) => openedAt)).toEqual(moments);
  });
});
