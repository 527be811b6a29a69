import { setImmediate as nextTurn } from "node:timers/promises";
import { instantMs } from "@tutti/base";
import { TrainerQueue, type Numerics } from "@tutti/engine";
import { nodeEngines } from "@tutti/engine/node";
import type { LocalTrainer } from "../platform.ts";

const evaluationBatch = 64;
const mebibyte = 1024 * 1024;

/**
 * Trains in this thread on the best engine that runs here, yielding between minibatches: for gateways,
 * and for threads that host many devices, which train one after the other.
 * @param memoryBytesMax of the engine; a job beyond it is refused.
 * @throws where the engine's kernels were never built.
 */
export function inProcessTrainer(memoryBytesMax = 512 * mebibyte, { numerics = "fast" }: { readonly numerics?: Numerics } = {}): LocalTrainer {
  const engines = nodeEngines({ pause: () => nextTurn(), now: () => instantMs(Date.now()) }, numerics);
  const queue = new TrainerQueue({ engine: engines[0], numerics, memoryBytesMax });
  return {
    engines: engines.map(({ id }) => id),
    memoryBytesMax,
    train: ({ model, job, examples }, signal) => queue.use({ model, maxBatch: job.batchSize, training: job }, (trainer) => trainer.train(job, examples, signal)),
    evaluate: ({ model, parameters, examples }) => queue.use({ model, maxBatch: evaluationBatch, training: null }, (trainer) => trainer.evaluate(parameters, examples)),
  };
}
