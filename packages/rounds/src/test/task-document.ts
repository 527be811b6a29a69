import type { TaskDocument } from "@tutti/protocol";
import type { Task } from "../task.ts";
import { taskFromDocument } from "../task.ts";

/** A whole task document: a softmax on four features, evaluated after every second round. */
export const taskDocument: TaskDocument = {
  name: "activity" as TaskDocument["name"],
  description: "Which activity a watch sees.",
  start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [4] },
    target: { kind: "classes", shape: [], classCount: 3 },
    layers: [{ name: "out", kind: "dense", units: 3 }],
    loss: { kind: "softmax-cross-entropy" },
    metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 10, epochCount: 2, optimizer: { kind: "sgd", learningRate: 0.1 } },
  data: { collection: "windows", schemaVersion: 1, examplesMin: 10, examplesMax: 500 },
  round: { goalCount: 10, overSelection: "adaptive", selectionWindowMs: 60_000, selectionFractionMin: 0.5, reportingWindowMs: "adaptive", reportingFractionMin: 0.7 },
  eligibility: { conditions: ["idle", "charging"], minSeparation: 2 },
  heldOutFraction: 0.2,
  sum: { kind: "plain", because: "a demonstration", clipNorm: 10, weightMax: 500 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 },
  durability: "checkpoint",
  evaluation: { everyRounds: 2, goalCount: 5, windowMs: 30_000, fractionMin: 0.4 },
  stop: { rounds: 20, target: { metric: "accuracy", atLeast: 0.9 }, patience: { evaluations: 3, delta: 0.01 }, date: "2030-01-01T00:00:00Z" },
};

/** The task of a document that is known to stand. */
export function taskOf(document: TaskDocument): Task {
  const task = taskFromDocument(document);
  if (!task.ok) throw new Error(JSON.stringify(task.error));
  return task.value;
}
