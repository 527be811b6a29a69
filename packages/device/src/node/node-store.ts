import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Json } from "@tutti/protocol";
import type { DeviceStore, StoreWrite } from "../platform.ts";

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS record (device TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (device, key)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bytes (device TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (device, key));
  CREATE TABLE IF NOT EXISTS device_key (device TEXT NOT NULL, name TEXT NOT NULL, pkcs8 BLOB NOT NULL, PRIMARY KEY (device, name)) WITHOUT ROWID;
`;

/** One database for any number of devices of a process: an idle device costs its rows and no handle. */
export class NodeDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();

  /** @param file a path, or ":memory:". */
  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(schema);
  }

  run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Record<string, unknown>[] {
    return this.#statement(sql).all(...values);
  }

  /** All of `work` or nothing of it. */
  transact(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (cause) {
      this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  close(): void {
    this.#database.close();
  }

  #statement(sql: string): ReturnType<DatabaseSync["prepare"]> {
    const prepared = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** The store of the device named `device`. node:sqlite is synchronous; the port's promises resolve at once. */
export function nodeStore(database: NodeDatabase, device: string): DeviceStore {
  return {
    record: (key) => Promise.resolve().then(() => {
      const [row] = database.all("SELECT value FROM record WHERE device = ? AND key = ?", device, key);
      return row === undefined ? undefined : (JSON.parse(String(row["value"])) as Json);
    }),
    recordsUnder: (prefix) => Promise.resolve().then(() => database
      .all("SELECT key, value FROM record WHERE device = ? AND key >= ? AND key < ? ORDER BY key", device, prefix, `${prefix}\uffff`)
      .map((row) => ({ key: String(row["key"]), value: JSON.parse(String(row["value"])) as Json }))),
    bytes: (key) => Promise.resolve().then(() => {
      const [row] = database.all("SELECT value FROM bytes WHERE device = ? AND key = ?", device, key);
      return row === undefined ? undefined : Uint8Array.from(row["value"] as Uint8Array);
    }),
    write: (writes) => Promise.resolve().then(() => {
      database.transact(() => {
        for (const write of writes) perform(database, device, write);
      });
      // What a participation or forget() erased must not live on in the write-ahead log.
      if (writes.some(({ kind }) => kind === "delete-bytes")) database.all("PRAGMA wal_checkpoint(TRUNCATE)");
    }),
  };
}

function perform(database: NodeDatabase, device: string, write: StoreWrite): void {
  switch (write.kind) {
    case "put-record":
      database.run("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", device, write.key, JSON.stringify(write.value));
      break;
    case "delete-record":
      database.run("DELETE FROM record WHERE device = ? AND key = ?", device, write.key);
      break;
    case "put-bytes":
      database.run("INSERT OR REPLACE INTO bytes VALUES (?, ?, ?)", device, write.key, write.bytes);
      break;
    case "delete-bytes":
      database.run("DELETE FROM bytes WHERE device = ? AND key = ?", device, write.key);
      break;
  }
}
