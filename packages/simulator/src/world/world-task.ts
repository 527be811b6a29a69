import type { SeededRandom } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import { populationName, taskName, type TaskDocument } from "@tutti/protocol";
import type { Swarm } from "./swarm.ts";

export const worldPopulation = populationName("world");
export const worldCollection = { collection: "points", schemaVersion: 1 } as const;

/** Task number `index` of a world: on which side of a line a point lies, with 6 parameters. */
export function worldTask(swarm: Swarm, index: number): TaskDocument {
  const { goalCount, overSelection, selectionWindowMs, selectionFractionMin, reportingWindowMs, reportingFractionMin, evaluateEvery, evaluators } = swarm;
  return {
    name: taskName(`line-${index}`),
    description: "On which side of a line a point lies",
    start: { seed: swarm.seed },
    model: {
      input: { kind: "features", shape: [2] }, target: { kind: "classes", shape: [], classCount: 2 },
      layers: [{ name: "out", kind: "dense", units: 2 }],
      loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
    },
    job: { batchSize: 4, epochCount: 1 + (swarm.seed % 2), optimizer: { kind: "sgd", learningRate: 0.5 } },
    data: { ...worldCollection, examplesMin: 1, examplesMax: 100 },
    round: { goalCount, overSelection, selectionWindowMs, selectionFractionMin, reportingWindowMs, reportingFractionMin },
    eligibility: { conditions: ["charging"], minSeparation: 1 },
    heldOutFraction: evaluateEvery === null ? 0 : 0.2,
    sum: { kind: "plain", because: "a simulated world", clipNorm: 0.5, weightMax: 8 },
    serverOptimizer: { kind: "fedavg", learningRate: 1 },
    durability: swarm.durability,
    ...(evaluateEvery === null ? {} : { evaluation: { everyRounds: evaluateEvery, goalCount: evaluators, windowMs: selectionWindowMs, fractionMin: 0.5 } }),
    stop: { rounds: swarm.rounds },
  };
}

/** The points of one device: 3 to 12 around a line, so that weights differ and some exceed the task's weightMax. */
export function worldExamples(random: SeededRandom): BatchSource {
  const exampleCount = 3 + random.below(10);
  const inputs = Float32Array.from({ length: 2 * exampleCount }, () => 2 * random.uniform() - 1);
  const targets = Int32Array.from({ length: exampleCount }, (_, i) => ((inputs[2 * i] ?? 0) + 0.3 * (inputs[2 * i + 1] ?? 0) > 0 ? 1 : 0));
  return { exampleCount, inputs, targets };
}
