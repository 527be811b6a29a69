import { assert, AssertionError } from "@tutti/base";
import { erasureRetryMs, groupChangesMax, groupPauseMs, groupRowsEnough } from "./limits.ts";
import { isConstraintFailure, isWorldFailure, storeFailure, type SqliteDatabase } from "./sqlite-database.ts";

/**
 * "row": one statement, which undoes itself when it fails; waits for neighbours. "steps": several
 * statements, on the next turn. "erasure": steps that overwrite a key, settled when no file holds it.
 */
type ChangeKind = "row" | "steps" | "erasure";

type Change = {
  readonly kind: ChangeKind;
  /** Makes the change inside the group's transaction, and gives what tells its caller of the success. */
  readonly make: () => () => void;
  readonly reject: (cause: unknown) => void;
};

/**
 * Changes that share a transaction and a flush, made in the order in which they came. An idle queue commits
 * on the next turn; a busy one `groupPauseMs` later, or as soon as `groupRowsEnough` wait. A change that
 * breaks a promise fails alone; when the world fails, its whole group does, and none of it is left.
 */
export class GroupCommit {
  readonly #database: SqliteDatabase;
  readonly #waiting: Change[] = [];
  /** Changes that are durable and whose key the log may still hold. */
  readonly #unerased: { readonly settle: () => void; readonly reject: (cause: unknown) => void }[] = [];
  #nextTurn: NodeJS.Immediate | undefined;
  #pause: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** Resolves with what `work` gave, when it is durable. `work` waits for nothing. */
  add<T>(kind: ChangeKind, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      assert(!this.#isClosed, "a closed store is asked for nothing");
      const make = (): (() => void) => {
        const value = work();
        return () => resolve(value);
      };
      this.#waiting.push({ kind, make, reject });
      const mayWait = kind === "row" && this.#pause !== undefined && this.#waiting.length < groupRowsEnough;
      // Not at once: who is handled in the same turn of the event loop comes along.
      if (!mayWait) this.#nextTurn ??= setImmediate(() => this.#commit());
    });
  }

  /** Commits all that waits, and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    while (this.#waiting.length > 0) this.#commit();
    clearImmediate(this.#nextTurn);
    clearTimeout(this.#pause);
    clearTimeout(this.#retry);
    for (const { reject } of this.#unerased.splice(0)) reject(new Error("the round is closed, and the disk refuses to overwrite its key: the next start does it"));
  }

  #commit(): void {
    clearImmediate(this.#nextTurn);
    this.#nextTurn = undefined;
    for (const settle of this.#settlementsOf(this.#waiting.splice(0, groupChangesMax))) settle();
    this.#erase();
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#waiting.length > 0) this.#commit();
    }, groupPauseMs);
    if (this.#waiting.length > 0) this.#nextTurn = setImmediate(() => this.#commit());
  }

  /** Makes the changes of `group` durable, or none; gives what tells their callers. */
  #settlementsOf(group: readonly Change[]): readonly (() => void)[] {
    try {
      const settlements: (() => void)[] = [];
      this.#database.transact(() => {
        for (const change of group) settlements.push(this.#made(change));
      });
      return settlements;
    } catch (cause) {
      const failure = storeFailure(cause);
      return group.map(({ reject }) => () => reject(failure));
    }
  }

  #made({ kind, make, reject }: Change): () => void {
    try {
      // A failed statement leaves nothing behind, so that the hot ones need no savepoint.
      const settle = kind === "row" ? make() : this.#database.nested(make);
      return kind === "erasure" ? () => this.#unerased.push({ settle, reject }) : settle;
    } catch (cause) {
      if (isWorldFailure(cause)) throw cause;
      return () => reject(isConstraintFailure(cause) ? new AssertionError(`the store keeps its keys: ${cause.message}`, { cause }) : cause);
    }
  }

  /**
   * Empties the log. The change is durable already and cannot be undone, so where the disk refuses (it is
   * full, and the log's pages need room at their places) its caller waits until the disk has room again.
   */
  #erase(): void {
    if (this.#unerased.length === 0) return;
    clearTimeout(this.#retry);
    try {
      this.#database.truncateLog();
    } catch {
      this.#retry = setTimeout(() => this.#erase(), erasureRetryMs);
      return;
    }
    for (const { settle } of this.#unerased.splice(0)) settle();
  }
}
