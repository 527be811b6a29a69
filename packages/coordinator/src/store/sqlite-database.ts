import { assert } from "@tutti/base";
import type { CompiledQuery } from "kysely";
import { closeSync, existsSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { DataFolderCorruptError, DataFolderLockedError } from "./data-folder-errors.ts";
import { migrations } from "./sqlite-schema.ts";
import { StoreFullError } from "./store.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const resultCodes = { busy: 5, corrupt: 11, full: 13, constraint: 19, notADatabase: 26 } as const;

export type SqliteOptions = {
  /** The database has at most so many pages of 4096 bytes: a quota of its own, beside the disk's. */
  readonly pageCountMax?: number;
};

/**
 * One SQLite file, held by this connection alone until it closes or its process ends, however it ends: the
 * lock is the kernel's (locking_mode EXCLUSIVE). No other process can read it meanwhile, so no reader ever
 * keeps the log from being truncated. POSIX drops a process's locks on a file when the process closes ANY
 * handle of it: nothing else in this process may open the file.
 */
export class SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or creates the file at `path`. @throws DataFolderLockedError, DataFolderCorruptError, StoreFullError. */
  constructor(path: string, { pageCountMax }: SqliteOptions = {}) {
    createForOwner(path);
    this.#database = new DatabaseSync(path, { enableForeignKeyConstraints: true });
    try {
      this.#database.exec("PRAGMA locking_mode = EXCLUSIVE");
      this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
      if (pageCountMax !== undefined) this.#database.exec(`PRAGMA max_page_count = ${pageCountMax}`);
      this.#check(path);
      this.#migrate(path);
      // A crash may have left the key of a closed round in the log.
      this.truncateLog();
    } catch (cause) {
      this.#database.close();
      throw openingFailure(cause, path);
    }
  }

  all<Row>({ sql, parameters }: CompiledQuery<Row>): readonly Row[] {
    // The types of Tables are those of the schema's STRICT columns, which this package alone writes.
    return this.statement(sql).all(...(parameters as readonly SQLInputValue[])) as unknown as readonly Row[];
  }

  /** Gives the number of rows that were changed. */
  run({ sql, parameters }: CompiledQuery): number {
    return Number(this.statement(sql).run(...(parameters as readonly SQLInputValue[])).changes);
  }

  /** The prepared statement of `sql`, which belongs to a fixed set: statements are kept for ever. */
  statement(sql: string): StatementSync {
    const prepared = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }

  /** All of `work`, durable when this returns, or nothing of it. */
  transact(work: () => void): void {
    this.#enclosed({ begin: "BEGIN IMMEDIATE", end: "COMMIT", undo: "ROLLBACK" }, work);
  }

  /** All of `work` or nothing of it, inside a transaction that may go on without it. */
  nested<T>(work: () => T): T {
    return this.#enclosed({ begin: "SAVEPOINT change", end: "RELEASE change", undo: "ROLLBACK TO change; RELEASE change" }, work);
  }

  /** Writes the log's pages to their places and empties it: from then on what was overwritten is gone. */
  truncateLog(): void {
    const [outcome] = this.statement("PRAGMA wal_checkpoint(TRUNCATE)").all();
    assert(outcome?.["busy"] === 0, "nobody else reads a database that is held alone");
  }

  close(): void {
    this.#database.close();
  }

  #enclosed<T>({ begin, end, undo }: { readonly begin: string; readonly end: string; readonly undo: string }, work: () => T): T {
    this.#database.exec(begin);
    try {
      const value = work();
      this.#database.exec(end);
      return value;
    } catch (cause) {
      // SQLite ends the transaction by itself after some failures, a full disk among them.
      if (this.#database.isTransaction) this.#database.exec(undo);
      throw cause;
    }
  }

  #check(path: string): void {
    const [verdict] = this.#database.prepare("PRAGMA quick_check(1)").all();
    const found = String(verdict?.["quick_check"]);
    if (found !== "ok") throw new DataFolderCorruptError(`${path} is damaged: ${found}`);
  }

  #migrate(path: string): void {
    const version = Number(this.#database.prepare("PRAGMA user_version").get()?.["user_version"]);
    const tableCount = Number(this.#database.prepare("SELECT count(*) AS tableCount FROM sqlite_schema").get()?.["tableCount"]);
    if (version > migrations.length) throw new DataFolderCorruptError(`${path} has version ${version} of the schema, and this program knows ${migrations.length}: a newer one wrote it`);
    if (version === 0 && tableCount > 0) throw new DataFolderCorruptError(`${path} is a database of another program`);
    for (const [i, step] of migrations.entries()) {
      if (i >= version) this.transact(() => this.#database.exec(`${step}; PRAGMA user_version = ${i + 1}`));
    }
  }
}

/** Whether one statement was refused and nothing else happened: a unique key, a foreign key, a type. */
export function isConstraintFailure(cause: unknown): cause is Error {
  return resultCodeOf(cause) === resultCodes.constraint;
}

/** Whether the world failed, and with it the whole transaction. */
export function isWorldFailure(cause: unknown): boolean {
  return resultCodeOf(cause) !== undefined && !isConstraintFailure(cause);
}

/** `cause` as the port's errors say it. */
export function storeFailure(cause: unknown): Error {
  if (resultCodeOf(cause) === resultCodes.full) return new StoreFullError("the store's disk or its quota is full", { cause });
  return cause instanceof Error ? cause : new Error(String(cause));
}

function openingFailure(cause: unknown, path: string): unknown {
  switch (resultCodeOf(cause)) {
    case resultCodes.busy:
      return new DataFolderLockedError(`${path} is held by another coordinator`, { cause });
    case resultCodes.corrupt: case resultCodes.notADatabase:
      return new DataFolderCorruptError(`${path} is damaged: ${String(cause)}`, { cause });
    case resultCodes.full:
      return new StoreFullError(`${path}: no space left`, { cause });
    case undefined: default:
      return cause;
  }
}

/** The primary result code of an error of node:sqlite, undefined for any other. */
function resultCodeOf(cause: unknown): number | undefined {
  if (!(cause instanceof Error) || !("errcode" in cause) || typeof cause.errcode !== "number") return undefined;
  return cause.errcode & 0xff;
}

/** The file holds private keys. SQLite gives its log the same mode. A file that exists is not touched: see the class. */
function createForOwner(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, "wx", 0o600));
}
