import { assert } from "@tutti/base";
import { partsOfRound, type Json, type RoundId } from "@tutti/protocol";
import { DummyDriver, Kysely, sql, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { join } from "node:path";
import { GroupCommit } from "./group-commit.ts";
import { SqliteDatabase, type SqliteOptions } from "./sqlite-database.ts";
import { closedRoundRow, modelRow, openRoundRow, populationRow, storedClosedRound, storedModel, storedOpenRound, storedTask, taskRow } from "./sqlite-rows.ts";
import type { Tables } from "./sqlite-schema.ts";
import type {
  AssignmentRow, ClosedRoundRow, DepartureRow, ModelRow, OpenRoundRow, PopulationRow, ReportRow, RoundClosing, Store, TaskRow,
} from "./store.ts";

/** Kysely writes the SQL and checks it against Tables; node:sqlite, which is synchronous, runs it. */
const query = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
/** Written by hand: they run once per device, or a thousand times in one transaction. */
const insertAssignment = "INSERT INTO assignment (round, slot, requestId) VALUES (?, ?, ?)";
const insertDeparture = "INSERT INTO departure (round, slot, reason, phases) VALUES (?, ?, ?, ?) ON CONFLICT (round, slot) DO NOTHING";
const insertReport = "INSERT INTO report (round, slot, fingerprint) VALUES (?, ?, ?)";
const asAdded = sql`rowid`;

type TaskNames = Pick<TaskRow, "population" | "task">;

/**
 * Opens the data folder's database, which this process then holds alone until `close`.
 * @param options.folder exists. @throws DataFolderLockedError, DataFolderCorruptError, StoreFullError.
 */
export function openSqliteStore({ folder, ...options }: SqliteOptions & { readonly folder: string }): Promise<Store> {
  return Promise.resolve().then(() => new SqliteStore(new SqliteDatabase(join(folder, "tutti.sqlite"), options)));
}

/** The port on one SQLite file; every write goes through the group commit, every read sees what is durable. */
export class SqliteStore implements Store {
  readonly #database: SqliteDatabase;
  readonly #commit: GroupCommit;
  #isClosed = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#commit = new GroupCommit(database);
  }

  addPopulation(row: PopulationRow): Promise<PopulationRow> {
    return this.#commit.add("steps", () => {
      this.#database.run(query.insertInto("population").values(populationRow(row)).onConflict((conflict) => conflict.column("population").doNothing()).compile());
      const [standing] = this.#database.all(query.selectFrom("population").selectAll().where("population", "=", row.population).compile());
      assert(standing !== undefined, "a population that was added is there");
      return populationRow(standing);
    });
  }

  populations(): Promise<readonly PopulationRow[]> {
    return this.#read(() => this.#database.all(query.selectFrom("population").selectAll().orderBy(asAdded).compile()).map(populationRow));
  }

  addTask(row: TaskRow, start: ModelRow): Promise<"added" | "exists"> {
    return this.#commit.add("steps", () => {
      assert(start.version === 0, "a task starts with model version 0");
      const added = this.#database.run(query.insertInto("task").values(storedTask(row)).onConflict((conflict) => conflict.columns(["population", "task"]).doNothing()).compile());
      if (added === 0) return "exists";
      this.#addModel(row, start);
      return "added";
    });
  }

  tasks(): Promise<readonly TaskRow[]> {
    return this.#read(() => this.#database.all(query.selectFrom("task").selectAll().orderBy(asAdded).compile()).map(taskRow));
  }

  saveProgress({ population, task, progress }: Pick<TaskRow, "population" | "task" | "progress">): Promise<void> {
    return this.#commit.add("steps", () => this.#saveProgress({ population, task }, progress));
  }

  openRound(row: OpenRoundRow): Promise<void> {
    return this.#commit.add("steps", () => {
      assert(this.#closedRound(row.round) === undefined, "a closed round is not opened again");
      this.#database.run(query.insertInto("openRound").values(storedOpenRound(row)).compile());
    });
  }

  openRounds(): Promise<readonly OpenRoundRow[]> {
    return this.#read(() => this.#database.all(query.selectFrom("openRound").selectAll().orderBy(asAdded).compile()).map(openRoundRow));
  }

  addAssignment({ round, slot, requestId }: AssignmentRow): Promise<void> {
    return this.#commit.add("row", () => void this.#database.statement(insertAssignment).run(round, slot, requestId));
  }

  addDeparture({ round, slot, reason, phases }: DepartureRow): Promise<void> {
    return this.#commit.add("row", () => void this.#database.statement(insertDeparture).run(round, slot, reason, phases));
  }

  saveRoundState(round: RoundId, state: Json): Promise<void> {
    return this.#commit.add("steps", () => {
      const saved = this.#database.run(query.updateTable("openRound").set({ state: JSON.stringify(state) }).where("round", "=", round).compile());
      assert(saved === 1, "only an open round has a state");
    });
  }

  assignments(round: RoundId): Promise<readonly AssignmentRow[]> {
    return this.#read(() => this.#database.all(query.selectFrom("assignment").selectAll().where("round", "=", round).orderBy("slot").compile()).map((row) => ({ ...row })));
  }

  departures(round: RoundId): Promise<readonly DepartureRow[]> {
    return this.#read(() => this.#database.all(query.selectFrom("departure").selectAll().where("round", "=", round).orderBy("slot").compile()).map((row) => ({ ...row })));
  }

  closeRound({ closed, reports, model, progress }: RoundClosing): Promise<void> {
    const { round } = closed;
    const task = partsOfRound(round);
    return this.#commit.add("erasure", () => {
      this.#database.run(query.deleteFrom("departure").where("round", "=", round).compile());
      this.#database.run(query.deleteFrom("assignment").where("round", "=", round).compile());
      // secure_delete overwrites what is deleted with zeros; the emptied log makes that the only copy.
      const ended = this.#database.run(query.deleteFrom("openRound").where("round", "=", round).compile());
      assert(ended === 1, "only an open round is closed");
      this.#database.run(query.insertInto("closedRound").values(storedClosedRound(closed)).compile());
      const insert = this.#database.statement(insertReport);
      for (const { slot, fingerprint } of reports) insert.run(round, slot, fingerprint);
      if (model !== null) this.#addModel(task, model);
      this.#saveProgress(task, progress);
    });
  }

  closedRounds({ population, task }: TaskNames, latest: number): Promise<readonly ClosedRoundRow[]> {
    const newest = query.selectFrom("closedRound").selectAll().where("population", "=", population).where("task", "=", task);
    return this.#read(() => this.#database.all(newest.orderBy("number", "desc").limit(latest).compile()).map(closedRoundRow));
  }

  closedRound(round: RoundId): Promise<ClosedRoundRow | undefined> {
    return this.#read(() => this.#closedRound(round));
  }

  reports(round: RoundId): Promise<readonly ReportRow[]> {
    return this.#read(() => this.#database.all(query.selectFrom("report").select(["slot", "fingerprint"]).where("round", "=", round).orderBy("slot").compile()).map((row) => ({ ...row })));
  }

  models({ population, task }: TaskNames): Promise<readonly ModelRow[]> {
    const all = query.selectFrom("model").selectAll().where("population", "=", population).where("task", "=", task);
    return this.#read(() => this.#database.all(all.orderBy("version").compile()).map(modelRow));
  }

  latestModel({ population, task }: TaskNames): Promise<ModelRow> {
    const pointed = query.selectFrom("task").select("latestVersion").where("population", "=", population).where("task", "=", task);
    const latest = query.selectFrom("model").selectAll().where("population", "=", population).where("task", "=", task).where("version", "=", pointed);
    return this.#read(() => {
      const [row] = this.#database.all(latest.compile());
      assert(row !== undefined, "a task that was added has a model");
      return modelRow(row);
    });
  }

  close(): Promise<void> {
    return Promise.resolve().then(() => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#commit.close();
      this.#database.close();
    });
  }

  #read<T>(work: () => T): Promise<T> {
    return Promise.resolve().then(() => {
      assert(!this.#isClosed, "a closed store is asked for nothing");
      return work();
    });
  }

  #closedRound(round: RoundId): ClosedRoundRow | undefined {
    const [row] = this.#database.all(query.selectFrom("closedRound").selectAll().where("round", "=", round).compile());
    return row === undefined ? undefined : closedRoundRow(row);
  }

  /** A new version, to which the task's `latest` moves. */
  #addModel({ population, task }: TaskNames, model: ModelRow): void {
    assert(model.population === population && model.task === task, "a model version belongs to the task whose round made it");
    this.#database.run(query.insertInto("model").values(storedModel(model)).compile());
    this.#database.run(query.updateTable("task").set({ latestVersion: model.version }).where("population", "=", population).where("task", "=", task).compile());
  }

  #saveProgress({ population, task }: TaskNames, progress: Json): void {
    const saved = this.#database.run(query.updateTable("task").set({ progress: JSON.stringify(progress) }).where("population", "=", population).where("task", "=", task).compile());
    assert(saved === 1, "only a task that was added has progress");
  }
}
