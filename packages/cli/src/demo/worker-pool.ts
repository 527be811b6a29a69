import { Worker } from "node:worker_threads";
import { CommandFailure } from "../failure.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./worker-messages.ts";

/** The threads that run a demo's devices. */
export type WorkerPool = {
  tell(message: ToWorker): void;
  /** Rejects when a thread fails; never resolves. */
  readonly failed: Promise<never>;
  /** Lets every device end, then every thread. */
  stop(): Promise<void>;
};

// Run from source the worker is TypeScript, from a package JavaScript: it has this file's own ending.
const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./demo-worker.ts" : "./demo-worker.js", import.meta.url);

/** Starts a thread per share of devices; resolves when every device has its examples and has begun. */
export async function startWorkers(
  setup: Omit<WorkerSetup, "indexes">,
  shares: readonly (readonly number[])[],
  onMessage: (message: FromWorker) => void,
): Promise<WorkerPool> {
  const workers = shares.map((indexes) => new Worker(workerFile, { workerData: { ...setup, indexes } satisfies WorkerSetup }));
  const failed = Promise.race(workers.map((worker) => failureOf(worker)));
  failed.catch(() => undefined);
  const ready = workers.map((worker) => messageOf(worker, "ready"));
  for (const worker of workers) worker.on("message", onMessage);
  const tell = (message: ToWorker): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    for (const worker of workers) worker.postMessage(message);
  };
  const stop = async (): Promise<void> => {
    const stopped = workers.map((worker) => messageOf(worker, "stopped"));
    tell({ kind: "stop" });
    await Promise.race([Promise.all(stopped), failed.catch(() => undefined)]);
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
  try {
    await Promise.race([Promise.all(ready), failed]);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { tell, failed, stop };
}

/** Devices dealt out in turn: every thread gets its part of those that train and of those that evaluate. */
export function sharesOf(deviceCount: number, workerCount: number): readonly (readonly number[])[] {
  const threads = Math.min(workerCount, deviceCount);
  return Array.from({ length: threads }, (_, thread) => Array.from({ length: Math.ceil((deviceCount - thread) / threads) }, (_, i) => thread + i * threads));
}

async function messageOf(worker: Worker, kind: FromWorker["kind"]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  worker.on("message", (message: FromWorker) => {
    if (message.kind === kind) resolve(undefined);
  });
  await promise;
}

function failureOf(worker: Worker): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  worker.on("error", (cause) => reject(new CommandFailure(`a thread of devices failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`)));
  return promise;
}
