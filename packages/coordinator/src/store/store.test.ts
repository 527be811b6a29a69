import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { memoryStore } from "./memory-store.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { storeContract, type StoreBench } from "./test/store-contract.ts";

const folders = mkdtempSync(join(tmpdir(), "tutti-store-"));
const newFolder = (): string => mkdtempSync(join(folders, "store-"));

afterAll(() => rmSync(folders, { recursive: true }));

storeContract("memory", () => {
  const store = memoryStore();
  return Promise.resolve({ store, again: () => Promise.resolve(store) });
});

storeContract("SQLite", async () => {
  const store = await openSqliteStore({ folder: newFolder() });
  return { store, again: () => Promise.resolve(store) };
});

storeContract("SQLite, opened again", async (): Promise<StoreBench> => {
  const folder = newFolder();
  const store = await openSqliteStore({ folder });
  const again = async () => {
    await store.close();
    return openSqliteStore({ folder });
  };
  return { store, again };
});
