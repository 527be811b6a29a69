import { assert, type Result } from "@tutti/base";
import type { EvaluationWork, TrainingWork } from "@tutti/device";
import type { EngineMissing, LocalResult, MetricSums } from "@tutti/engine";
import { Worker, type Transferable } from "node:worker_threads";
import { jobsPerWorkerMax } from "./limits.ts";
import type { TrainingAnswer, TrainingJob } from "./training-messages.ts";

// Run from source the worker is TypeScript, from a package JavaScript: it has this file's own ending.
const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./training-worker.ts" : "./training-worker.js", import.meta.url);

type Thread = { readonly worker: Worker; jobCount: number };
type Waiting = { readonly job: TrainingJob; readonly settle: (answer: TrainingAnswer) => void; readonly fail: (cause: Error) => void };

/** Threads that train and evaluate. What a job gives does not depend on how many there are, nor on which of them takes it. */
export class TrainingPool {
  readonly #threads: readonly Thread[];
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<number, Waiting>();
  #jobCount = 0;
  #broken: Error | undefined;

  constructor(workerCount: number) {
    assert(workerCount >= 1, "someone trains");
    this.#threads = Array.from({ length: workerCount }, () => this.#thread());
  }

  /** Why no job is taken any more, if so. */
  get broken(): Error | undefined {
    return this.#broken;
  }

  /** Trains. The arrays of `work` belong to the pool from here on: they are transferred to a thread. */
  async train(work: TrainingWork): Promise<Result<LocalResult, EngineMissing>> {
    const answer = await this.#answer((id) => ({ kind: "train", id, work }));
    assert(answer.kind === "trained", "a job is answered in its own kind");
    return answer.result;
  }

  /** Evaluates. The arrays of `work` belong to the pool from here on. */
  async evaluate(work: EvaluationWork): Promise<Result<MetricSums, EngineMissing>> {
    const answer = await this.#answer((id) => ({ kind: "evaluate", id, work }));
    assert(answer.kind === "evaluated", "a job is answered in its own kind");
    return answer.result;
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    this.#break(new Error("the training pool is closed"));
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #answer(jobOf: (id: number) => TrainingJob): Promise<TrainingAnswer> {
    return new Promise((settle, fail) => {
      if (this.#broken !== undefined) {
        fail(this.#broken);
        return;
      }
      this.#queue.push({ job: jobOf(this.#jobCount++), settle, fail });
      this.#hand();
    });
  }

  #thread(): Thread {
    const thread: Thread = { worker: new Worker(workerFile), jobCount: 0 };
    thread.worker.on("message", (answer: TrainingAnswer) => {
      thread.jobCount--;
      this.#take(answer);
      this.#hand();
    });
    thread.worker.on("error", (cause) => this.#break(cause instanceof Error ? cause : new Error(String(cause))));
    return thread;
  }

  #take(answer: TrainingAnswer): void {
    const waiting = this.#running.get(answer.id);
    this.#running.delete(answer.id);
    if (answer.kind === "failed") waiting?.fail(new Error(answer.cause));
    else waiting?.settle(answer);
  }

  /** The oldest jobs to the threads that have the least to do. */
  #hand(): void {
    for (;;) {
      const thread = this.#threads.reduce((idlest, other) => (other.jobCount < idlest.jobCount ? other : idlest));
      const waiting = thread.jobCount < jobsPerWorkerMax ? this.#queue.shift() : undefined;
      if (waiting === undefined) return;
      thread.jobCount++;
      this.#running.set(waiting.job.id, waiting);
      thread.worker.postMessage(waiting.job, buffersOf(waiting.job));
    }
  }

  #break(cause: Error): void {
    this.#broken ??= cause;
    for (const { fail } of [...this.#running.values(), ...this.#queue.splice(0)]) fail(cause);
    this.#running.clear();
  }
}

/** Each buffer once: inputs and targets may share one. */
function buffersOf({ kind, work }: TrainingJob): readonly Transferable[] {
  const parameters = kind === "train" ? work.job.start : work.parameters;
  const buffers = [parameters, work.examples.inputs, work.examples.targets].map(({ buffer }) => buffer);
  return [...new Set(buffers)].filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer);
}
