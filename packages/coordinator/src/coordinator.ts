import { assert } from "@tutti/base";
import { initialParameters, layoutOf } from "@tutti/engine";
import { decodeModelFile, encodeModelFile } from "@tutti/learning";
import { canonicalJson, partsOfAssignment, partsOfRound, taskName, type AssignmentId, type Json, type PopulationName } from "@tutti/protocol";
import { openTaskProgress, taskFromDocument, type Task, type TaskProgress } from "@tutti/rounds";
import type { Sha256Hex } from "@tutti/base";
import { capabilityFault } from "./capability.ts";
import { tasksPerPopulationMax } from "./limits.ts";
import { recoverRound } from "./open-round.ts";
import { drawPopulationSecrets } from "./population-keys.ts";
import { PopulationRun } from "./population-run.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { isRefusal, refuse, type Refusal } from "./refusal.ts";
import { runTask } from "./rounds-loop.ts";
import type { ModelRow, TaskRow } from "./store/store.ts";
import { TaskRun } from "./task-run.ts";

/** All populations and tasks of one data folder, and the loops that run them. */
export class Coordinator {
  readonly ports: CoordinatorPorts;
  readonly #populations = new Map<PopulationName, PopulationRun>();
  readonly #loops = new Set<Promise<void>>();
  #isRunning = false;

  private constructor(ports: CoordinatorPorts) {
    this.ports = ports;
  }

  /** Takes up what the store holds: populations, tasks, and every open round where it stood. */
  static async open(ports: CoordinatorPorts): Promise<Coordinator> {
    const coordinator = new Coordinator(ports);
    for (const row of await ports.store.populations()) coordinator.#populations.set(row.population, new PopulationRun(ports, row));
    for (const row of await ports.store.tasks()) await coordinator.#takeUpTask(row);
    const openRounds = await ports.store.openRounds();
    await ports.aggregator.keepOnly(new Set(openRounds.map(({ round }) => round)));
    for (const row of openRounds) {
      const { population, task } = partsOfRound(row.round);
      const run = coordinator.#populations.get(population)?.tasks.get(task);
      assert(run !== undefined, "an open round belongs to a task of the store");
      run.takeUp(await recoverRound(run, row));
    }
    return coordinator;
  }

  /** Starts the loops of all tasks, and of those that are added later. */
  run(): void {
    this.#isRunning = true;
    for (const population of this.#populations.values()) for (const task of population.tasks.values()) if (!task.isOver || task.live !== undefined) this.#startLoop(task);
  }

  /** Leaves every loop where it stands; open rounds go on when the store is opened again. */
  async close(): Promise<void> {
    for (const population of this.#populations.values()) for (const task of population.tasks.values()) task.close();
    await Promise.all(this.#loops);
  }

  population(name: PopulationName): PopulationRun | undefined {
    return this.#populations.get(name);
  }

  /** Adds a population with fresh secrets; one that exists stays as it is. */
  async addPopulation(name: PopulationName): Promise<PopulationRun> {
    const known = this.#populations.get(name);
    if (known !== undefined) return known;
    const row = await this.ports.store.addPopulation(drawPopulationSecrets(name, this.ports.random));
    const added = this.#populations.get(name) ?? new PopulationRun(this.ports, row);
    this.#populations.set(name, added);
    return added;
  }

  /** The population of an assignment whose capability stands. */
  populationOf(assignment: AssignmentId, token: string): PopulationRun | Refusal {
    const population = this.#populations.get(partsOfRound(partsOfAssignment(assignment).round).population);
    if (population === undefined) return refuse("unknown-population");
    const fault = capabilityFault(population.tokenKey, assignment, token, this.ports.clock.now());
    return fault === undefined ? population : refuse(fault);
  }

  /** Checks a task's document, stores it with its first model, and starts it. The same document again changes nothing. */
  async addTask(population: PopulationRun, document: unknown): Promise<TaskRun | Refusal> {
    const task = taskFromDocument(document);
    if (!task.ok) {
      const [first] = task.error;
      return refuse("malformed", { path: first?.path ?? "/", detail: task.error.map(({ path, expected }) => `${path} ${expected}`).join("; ") });
    }
    const name = taskName(task.value.name);
    const known = population.tasks.get(name);
    if (known !== undefined) return canonicalJson(known.row.document) === canonicalJson(document as Json) ? known : refuse("task-exists");
    if (population.tasks.size >= tasksPerPopulationMax) return refuse("task-conflict", { detail: `A population has at most ${tasksPerPopulationMax} tasks.` });
    const start = await this.#startModel(task.value);
    if (isRefusal(start)) return start;
    const createdAt = this.ports.clock.now();
    const row: TaskRow = { population: population.row.population, task: name, document: document as Json, progress: openTaskProgress(), createdAt };
    const model: ModelRow = { population: row.population, task: name, version: 0, parent: null, round: null, hash: start, metrics: null, createdAt };
    if ((await this.ports.store.addTask(row, model)) === "exists") return refuse("task-exists");
    const run = await this.#takeUpTask(row);
    if (this.#isRunning) this.#startLoop(run);
    return run;
  }

  /** The safetensors blob of the parameters that a task starts from. */
  async #startModel(task: Task): Promise<Sha256Hex | Refusal> {
    const layout = layoutOf(task.model);
    if ("seed" in task.start) {
      return this.ports.blobs.put(encodeModelFile(initialParameters(task.model, task.start.seed), layout, { start: `seed ${task.start.seed}` }));
    }
    if ((await this.ports.blobs.byteCount(task.start.blob)) === undefined) return refuse("unknown-blob", { path: "/start/blob", detail: "Upload the start model first." });
    const parameters = decodeModelFile(await this.ports.blobs.read(task.start.blob), layout);
    return parameters.ok ? task.start.blob : refuse("malformed", { path: "/start/blob", detail: `${parameters.error.path} expected ${parameters.error.expected}` });
  }

  async #takeUpTask(row: TaskRow): Promise<TaskRun> {
    const population = this.#populations.get(row.population);
    assert(population !== undefined, "a task belongs to a population of the store");
    const task = taskFromDocument(row.document);
    assert(task.ok, "a stored task's document was checked when it was added");
    const latest = await this.ports.store.latestModel(row);
    // Written by this package alone, as the JSON of a TaskProgress.
    const run = new TaskRun({ population, row, task: task.value, progress: row.progress as TaskProgress, latest });
    population.tasks.set(row.task, run);
    return run;
  }

  #startLoop(run: TaskRun): void {
    const loop = runTask(run).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  /** A fault that no handler expected: told to whoever runs the coordinator, never to the caller. */
  reportFault(cause: unknown): void {
    this.ports.onEvent({ kind: "request-failed", cause: String(cause) });
  }
}
