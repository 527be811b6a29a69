import type { PopulationName, TaskName } from "@tutti/protocol";
import type { AssignmentRow, ClosedRoundRow, DepartureRow, ModelRow, OpenRoundRow, PopulationRow, ReportRow, TaskRow } from "./store.ts";

/** A row as it lies in the file: some of its columns are the text of JSON. */
type Stored<Row, JsonColumn extends keyof Row> = { readonly [Column in keyof Row]: Column extends JsonColumn ? string : Row[Column] };
type OfTask = { readonly population: PopulationName; readonly task: TaskName };

/** The tables and their columns, named like the fields of the port's rows. */
export type Tables = {
  readonly population: PopulationRow;
  readonly task: Stored<TaskRow, "document" | "progress"> & { readonly latestVersion: number };
  readonly model: Stored<ModelRow, "metrics">;
  readonly openRound: Stored<OpenRoundRow, "state"> & OfTask;
  readonly assignment: AssignmentRow;
  readonly departure: DepartureRow;
  readonly closedRound: Stored<ClosedRoundRow, "counts" | "phases" | "metrics"> & OfTask & { readonly number: number };
  readonly report: ReportRow & Pick<ClosedRoundRow, "round">;
};

/**
 * Step n makes version n of the schema from version n − 1; a step that was released never changes.
 * STRICT: a column holds what its type says, or the write fails.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE population (
    population TEXT NOT NULL UNIQUE, enrolmentKey BLOB NOT NULL, planKey BLOB NOT NULL, receiptKey BLOB NOT NULL, tokenKey BLOB NOT NULL
  ) STRICT;
  CREATE TABLE task (
    population TEXT NOT NULL REFERENCES population (population), task TEXT NOT NULL,
    document TEXT NOT NULL, progress TEXT NOT NULL, createdAt REAL NOT NULL, latestVersion INTEGER NOT NULL,
    UNIQUE (population, task)
  ) STRICT;
  CREATE TABLE model (
    population TEXT NOT NULL, task TEXT NOT NULL, version INTEGER NOT NULL, parent INTEGER, round TEXT,
    hash TEXT NOT NULL, metrics TEXT NOT NULL, createdAt REAL NOT NULL,
    PRIMARY KEY (population, task, version), FOREIGN KEY (population, task) REFERENCES task (population, task)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE openRound (
    round TEXT NOT NULL UNIQUE, population TEXT NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    planHash TEXT NOT NULL, planSignature TEXT NOT NULL, modelVersion INTEGER NOT NULL, sumKey BLOB NOT NULL, openedAt REAL NOT NULL,
    FOREIGN KEY (population, task) REFERENCES task (population, task)
  ) STRICT;
  CREATE TABLE assignment (
    round TEXT NOT NULL REFERENCES openRound (round), slot INTEGER NOT NULL, requestId TEXT NOT NULL,
    PRIMARY KEY (round, slot), UNIQUE (round, requestId)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE departure (
    round TEXT NOT NULL, slot INTEGER NOT NULL, reason TEXT NOT NULL, phases TEXT NOT NULL,
    PRIMARY KEY (round, slot), FOREIGN KEY (round, slot) REFERENCES assignment (round, slot)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE closedRound (
    round TEXT NOT NULL PRIMARY KEY, population TEXT NOT NULL, task TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL,
    outcome TEXT NOT NULL, modelHash TEXT NOT NULL, reason TEXT NOT NULL, counts TEXT NOT NULL, phases TEXT NOT NULL,
    metrics TEXT NOT NULL, openedAt REAL NOT NULL, closedAt REAL NOT NULL,
    UNIQUE (population, task, number), FOREIGN KEY (population, task) REFERENCES task (population, task)
  ) STRICT;
  CREATE TABLE report (
    round TEXT NOT NULL REFERENCES closedRound (round), slot INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    PRIMARY KEY (round, slot)
  ) STRICT, WITHOUT ROWID;
  `,
];
