import { assert, instantMs, type DurationMs, durationBetween } from "@tutti/base";
import type { TaskAction, TaskOffer } from "@tutti/protocol";
import { expectedRoundMs, planTemplate, roundPolicyOf, stepTaskProgress, type PacedTask, type StoppedBy, type Task, type TaskProgress } from "@tutti/rounds";
import type { LiveRound } from "./live-round.ts";
import type { PopulationRun } from "./population-run.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { ModelRow, TaskRow } from "./store/store.ts";

/** A task while the coordinator runs: where it stands, its newest model and its open round. */
export class TaskRun {
  readonly population: PopulationRun;
  readonly row: TaskRow;
  readonly task: Task;
  latest: ModelRow;
  readonly #stopping = new AbortController();
  #progress: TaskProgress;
  #changing: Promise<void> = Promise.resolve();
  #live: LiveRound | undefined;
  #wake: () => void = () => undefined;
  #woken: Promise<void> = new Promise((resolve) => (this.#wake = resolve));

  constructor(parts: { readonly population: PopulationRun; readonly row: TaskRow; readonly task: Task; readonly progress: TaskProgress; readonly latest: ModelRow }) {
    this.population = parts.population;
    this.row = parts.row;
    this.task = parts.task;
    this.#progress = parts.progress;
    this.latest = parts.latest;
  }

  get ports(): CoordinatorPorts {
    return this.population.ports;
  }

  get progress(): TaskProgress {
    return this.#progress;
  }

  /** Whether no round will open any more. */
  get isOver(): boolean {
    return this.#progress.phase === "done" || this.#progress.phase === "halted";
  }

  /** Aborts when the coordinator closes; open rounds stay open in the store. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  get live(): LiveRound | undefined {
    return this.#live;
  }

  takeUp(round: LiveRound): void {
    assert(this.#live === undefined, "a task has one open round at a time");
    this.#live = round;
    // Halted while the round was open, and then the coordinator stopped.
    if (this.#progress.phase === "halted") round.step({ kind: "task-stopped" });
  }

  letGo(): void {
    this.#live = undefined;
  }

  /**
   * Changes the progress: what `change` gives is durable when it resolves, and stands from then on. One
   * change at a time, so that an operator's pause is not lost beside the end of a round.
   */
  change(change: (progress: TaskProgress) => Promise<TaskProgress>): Promise<void> {
    const changed = this.#changing.then(async () => {
      this.#progress = await change(this.#progress);
    });
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  /** Pause, resume or halt, durable; a task that is over refuses. */
  async act(action: TaskAction): Promise<Refusal | undefined> {
    if (this.isOver) return refuse("task-conflict", { detail: `The task is ${this.#progress.phase}.` });
    await this.change((progress) => this.#saved(stepTaskProgress(progress, this.task, { kind: action })));
    if (action === "halt") this.#live?.step({ kind: "task-stopped" });
    this.#wake();
    return undefined;
  }

  /** The task is over: written down where the rule is a date, which passes without an event. */
  async stop(stoppedBy: StoppedBy): Promise<void> {
    const at = this.ports.clock.now();
    await this.change((progress) => this.#saved(stepTaskProgress(progress, this.task, { kind: "time-passed", at })));
    const { population, task } = this.row;
    const { version, hash } = this.latest;
    this.ports.onEvent({ kind: "task-stopped", population, task, stoppedBy, rounds: this.#progress.trainRoundsCommitted, modelVersion: version, modelHash: hash });
  }

  /** Resolves at the next change by an operator, or rejects when the coordinator closes. */
  async changed(): Promise<void> {
    await this.untilStopping(this.#woken);
    this.#woken = new Promise((resolve) => (this.#wake = resolve));
  }

  /** What a check-in is offered of this task; undefined while no place is free. @param protocol that the device speaks. */
  offer(protocol: number): TaskOffer | undefined {
    const live = this.#live;
    if (live === undefined || live.freePlaces === 0 || live.plan.protocol > protocol) return undefined;
    const { protocol: needed, data, eligibility, sum } = planTemplate(this.task, live.plan.kind);
    return { task: this.row.task, kind: live.plan.kind, protocol: needed, data, eligibility, sum, step: live.plan.step };
  }

  /** What pacing must know; undefined for a task that takes no devices. */
  paced(): PacedTask | undefined {
    if (this.#progress.phase !== "running") return undefined;
    const live = this.#live;
    const policy = live?.state.policy ?? roundPolicyOf(this.task, "train", this.#progress);
    // Too few came to the last round: this one is expected to end with its selection, too, and who came to it
    // comes together to the next. Told the length of a whole round they would scatter over the rounds in between.
    const isStarving = live?.state.phase === "selecting" && this.#progress.abandonedInARow > 0;
    const roundMs = isStarving ? policy.selectionWindowMs : expectedRoundMs(this.#progress, policy);
    return { assignedTarget: policy.assignedTarget, roundMs, nextOpensMs: this.#nextOpensIn(roundMs) };
  }

  /** `promise`, or a rejection as soon as the coordinator closes. */
  async untilStopping<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    let stop: () => void = () => undefined;
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(new Error("the coordinator closes"));
      signal.addEventListener("abort", stop, { once: true });
    });
    try {
      return await Promise.race([promise, stopped]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** The coordinator closes: leaves the loop where it stands. */
  close(): void {
    this.#stopping.abort(new Error("the coordinator closes"));
    this.#live?.letGo();
  }

  #nextOpensIn(roundMs: DurationMs): DurationMs {
    const now = this.ports.clock.now();
    return this.#live === undefined ? durationBetween(now, now) : durationBetween(now, instantMs(this.#live.row.openedAt + roundMs));
  }

  async #saved(progress: TaskProgress): Promise<TaskProgress> {
    if (progress === this.#progress) return progress;
    const { population, task } = this.row;
    await this.ports.store.saveProgress({ population, task, progress });
    return progress;
  }
}
