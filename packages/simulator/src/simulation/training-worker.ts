// A thread that trains: one job after the other, in numerics that are the same on every machine.
import { inProcessTrainer } from "@tutti/device/node";
import { parentPort } from "node:worker_threads";
import { trainerMemoryBytesMax } from "./limits.ts";
import type { TrainingAnswer, TrainingJob } from "./training-messages.ts";

const trainer = inProcessTrainer(trainerMemoryBytesMax, { numerics: "deterministic" });
const never = new AbortController().signal;

async function answerTo(job: TrainingJob): Promise<TrainingAnswer> {
  try {
    return job.kind === "train"
      ? { kind: "trained", id: job.id, result: await trainer.train(job.work, never) }
      : { kind: "evaluated", id: job.id, result: await trainer.evaluate(job.work, never) };
  } catch (cause) {
    return { kind: "failed", id: job.id, cause: cause instanceof Error ? cause.message : String(cause) };
  }
}

parentPort?.on("message", (job: TrainingJob) => {
  // `answerTo` never rejects.
  void answerTo(job).then((answer) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    parentPort?.postMessage(answer);
  });
});
