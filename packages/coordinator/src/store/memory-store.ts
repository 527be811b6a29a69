import { assert } from "@tutti/base";
import { partsOfRound, type Json, type PopulationName, type RoundId } from "@tutti/protocol";
import type {
  AssignmentRow, ClosedRoundRow, DepartureRow, ModelRow, OpenRoundRow, PopulationRow, ReportRow, RoundClosing, Store, TaskRow,
} from "./store.ts";

type TaskNames = Pick<TaskRow, "population" | "task">;
type KnownTask = { row: TaskRow; readonly models: Map<number, ModelRow>; latest: ModelRow; readonly closed: ClosedRoundRow[] };
type KnownRound = {
  row: OpenRoundRow;
  readonly assignments: Map<number, AssignmentRow>;
  readonly requestIds: Set<string>;
  readonly departures: Map<number, DepartureRow>;
};

/** A store that lives as long as the process: for the simulator, and for `serve` without a folder. */
export function memoryStore(): Store {
  return new MemoryStore();
}

/** The port on maps. A change is made while its call runs, after all that it promises was checked. */
class MemoryStore implements Store {
  readonly #populations = new Map<PopulationName, PopulationRow>();
  readonly #tasks = new Map<string, KnownTask>();
  readonly #open = new Map<RoundId, KnownRound>();
  readonly #closed = new Map<RoundId, { readonly row: ClosedRoundRow; readonly reports: readonly ReportRow[] }>();

  addPopulation(row: PopulationRow): Promise<PopulationRow> {
    const standing = this.#populations.get(row.population) ?? row;
    this.#populations.set(row.population, standing);
    return Promise.resolve(standing);
  }

  populations(): Promise<readonly PopulationRow[]> {
    return Promise.resolve([...this.#populations.values()]);
  }

  addTask(row: TaskRow, start: ModelRow): Promise<"added" | "exists"> {
    return promised(() => {
      assert(this.#populations.has(row.population), "a task belongs to a population of the store");
      assert(start.version === 0, "a task starts with model version 0");
      assertOfTask(row, start);
      if (this.#tasks.has(keyOf(row))) return "exists";
      this.#tasks.set(keyOf(row), { row, models: new Map([[start.version, start]]), latest: start, closed: [] });
      return "added";
    });
  }

  tasks(): Promise<readonly TaskRow[]> {
    return Promise.resolve([...this.#tasks.values()].map(({ row }) => row));
  }

  saveProgress({ progress, ...names }: Pick<TaskRow, "population" | "task" | "progress">): Promise<void> {
    return promised(() => {
      const known = this.#task(names);
      known.row = { ...known.row, progress };
    });
  }

  openRound(row: OpenRoundRow): Promise<void> {
    return promised(() => {
      this.#task(partsOfRound(row.round));
      assert(!this.#open.has(row.round) && !this.#closed.has(row.round), "a round is opened once");
      this.#open.set(row.round, { row, assignments: new Map(), requestIds: new Set(), departures: new Map() });
    });
  }

  openRounds(): Promise<readonly OpenRoundRow[]> {
    return Promise.resolve([...this.#open.values()].map(({ row }) => row));
  }

  addAssignment(row: AssignmentRow): Promise<void> {
    return promised(() => {
      const { assignments, requestIds } = this.#round(row.round);
      assert(!assignments.has(row.slot) && !requestIds.has(row.requestId), "a slot and a request id are assigned once");
      assignments.set(row.slot, row);
      requestIds.add(row.requestId);
    });
  }

  addDeparture(row: DepartureRow): Promise<void> {
    return promised(() => {
      const { assignments, departures } = this.#round(row.round);
      assert(assignments.has(row.slot), "a place that is given back was assigned");
      if (!departures.has(row.slot)) departures.set(row.slot, row);
    });
  }

  saveRoundState(round: RoundId, state: Json): Promise<void> {
    return promised(() => {
      const known = this.#round(round);
      known.row = { ...known.row, state };
    });
  }

  assignments(round: RoundId): Promise<readonly AssignmentRow[]> {
    return Promise.resolve(bySlot([...(this.#open.get(round)?.assignments.values() ?? [])]));
  }

  departures(round: RoundId): Promise<readonly DepartureRow[]> {
    return Promise.resolve(bySlot([...(this.#open.get(round)?.departures.values() ?? [])]));
  }

  closeRound({ closed, reports, model, progress }: RoundClosing): Promise<void> {
    return promised(() => {
      const task = this.#task(partsOfRound(closed.round));
      this.#round(closed.round);
      assert(new Set(reports.map(({ slot }) => slot)).size === reports.length, "a slot has one report");
      if (model !== null) {
        assertOfTask(task.row, model);
        assert(!task.models.has(model.version), "a model version is made once");
        task.models.set(model.version, model);
        task.latest = model;
      }
      task.row = { ...task.row, progress };
      task.closed.push(closed);
      this.#open.delete(closed.round);
      this.#closed.set(closed.round, { row: closed, reports: bySlot(reports) });
    });
  }

  closedRounds(task: TaskNames, latest: number): Promise<readonly ClosedRoundRow[]> {
    const newestFirst = (this.#tasks.get(keyOf(task))?.closed ?? []).toSorted((a, b) => partsOfRound(b.round).number - partsOfRound(a.round).number);
    return Promise.resolve(newestFirst.slice(0, latest));
  }

  closedRound(round: RoundId): Promise<ClosedRoundRow | undefined> {
    return Promise.resolve(this.#closed.get(round)?.row);
  }

  reports(round: RoundId): Promise<readonly ReportRow[]> {
    return Promise.resolve(this.#closed.get(round)?.reports ?? []);
  }

  models(task: TaskNames): Promise<readonly ModelRow[]> {
    return Promise.resolve([...(this.#tasks.get(keyOf(task))?.models.values() ?? [])].toSorted((a, b) => a.version - b.version));
  }

  latestModel(task: TaskNames): Promise<ModelRow> {
    return promised(() => this.#task(task).latest);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #task(names: TaskNames): KnownTask {
    const task = this.#tasks.get(keyOf(names));
    assert(task !== undefined, "a task was added before it is used");
    return task;
  }

  #round(round: RoundId): KnownRound {
    const open = this.#open.get(round);
    assert(open !== undefined, "a round is open until it is closed");
    return open;
  }
}

/** What `work` gives, or a rejection with what it throws; it runs at once, so that calls take effect in their order. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

function assertOfTask({ population, task }: TaskNames, model: ModelRow): void {
  assert(model.population === population && model.task === task, "a model version belongs to the task whose round made it");
}

function bySlot<Row extends { readonly slot: number }>(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => a.slot - b.slot);
}

/** Names hold no dot. */
function keyOf({ population, task }: TaskNames): string {
  return `${population}.${task}`;
}
