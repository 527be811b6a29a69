import { taskName, type TaskDocument } from "@tutti/protocol";

/** Parameters of the model below: 2 → 2 with a bias. */
export const parameterCount = 6;

/** A task of two features and two classes whose rounds want `goalCount` reports from as many devices. */
export function taskDocument(changes: Partial<TaskDocument> = {}): TaskDocument {
  return {
    name: taskName("line"),
    description: "Which side of a line a point lies on",
    start: { seed: 1 },
    model: {
      input: { kind: "features", shape: [2] }, target: { kind: "classes", shape: [], classCount: 2 },
      layers: [{ name: "out", kind: "dense", units: 2 }],
      loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
    },
    job: { batchSize: 4, optimizer: { kind: "sgd", learningRate: 0.1 } },
    data: { collection: "points", schemaVersion: 1, examplesMin: 1, examplesMax: 100 },
    round: { goalCount: 2, overSelection: 1, selectionWindowMs: 60_000, selectionFractionMin: 1, reportingWindowMs: 60_000, reportingFractionMin: 1 },
    eligibility: { conditions: [], minSeparation: 1 },
    heldOutFraction: 0,
    sum: { kind: "plain", because: "a test on loopback", clipNorm: 2, weightMax: 10 },
    serverOptimizer: { kind: "fedavg", learningRate: 1 },
    durability: "checkpoint",
    stop: { rounds: 2 },
    ...changes,
  };
}
