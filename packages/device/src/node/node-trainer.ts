import { setImmediate as nextTurn } from "node:timers/promises";
import { err, instantMs, ok, type Result } from "@tutti/base";
import { jsEngine, type Engine, type Trainer } from "@tutti/engine";
import type { EngineMissing, EvaluationWork, LocalTrainer } from "../platform.ts";

const evaluationBatch = 64;

/** Trains in this thread, yielding between minibatches: for gateways, and for workers that host many devices. */
export function inProcessTrainer(memoryBytesMax = 512 * 1024 * 1024): LocalTrainer {
  const engine = jsEngine({ pause: () => nextTurn(), now: () => instantMs(Date.now()) });
  return {
    engines: [engine.id],
    memoryBytesMax,
    train: ({ parameters, training, shuffleSeed, ...work }, signal) => withTrainer(engine, work, training.batchSize, (trainer) =>
      trainer.train({ ...training, start: parameters, shuffleSeed, correction: null }, work.examples, signal)),
    evaluate: (work) => withTrainer(engine, work, evaluationBatch, (trainer) => trainer.evaluate(work.parameters, work.examples)),
  };
}

async function withTrainer<T>(engine: Engine, { model }: Pick<EvaluationWork, "model">, maxBatch: number, use: (trainer: Trainer) => Promise<T>): Promise<Result<T, EngineMissing>> {
  const check = engine.check(model);
  if (!check.ok) return err({ code: "engine-missing", missing: check.missing });
  const trainer = await engine.compile(model, { maxBatch, numerics: "fast" });
  try {
    return ok(await use(trainer));
  } finally {
    trainer.dispose();
  }
}
