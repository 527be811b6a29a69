import { taskName, type TaskDocument } from "@tutti/protocol";

/**
 * Handwritten digits, each device one real writer: 539 who train, 297 others who evaluate (`--data` with
 * MNIST and its writers). Everyone writes in a style of their own, and few have all digits equally often.
 *
 * Measured without a network, two seeds: 95.6 % of the digits of all held-out writers after 30 rounds.
 */
export default {
  name: taskName("mnist-writers"),
  description: "Handwritten digits, one real writer per device.",
  start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [28, 28, 1] },
    target: { kind: "classes", shape: [], classCount: 10 },
    layers: [
      { name: "conv1", kind: "conv2d", filters: 8, window: [5, 5], stride: [2, 2] },
      { name: "relu1", kind: "relu" },
      { name: "conv2", kind: "conv2d", filters: 16, window: [5, 5], stride: [2, 2] },
      { name: "relu2", kind: "relu" },
      { name: "flat", kind: "flatten" },
      { name: "out", kind: "dense", units: 10 },
    ],
    loss: { kind: "softmax-cross-entropy" },
    metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 10, epochCount: 2, optimizer: { kind: "sgd", learningRate: 0.2 } },
  data: { collection: "digits", schemaVersion: 1, examplesMin: 5, examplesMax: 500 },
  round: { goalCount: 20, overSelection: 1.2, selectionWindowMs: 10_000, selectionFractionMin: 0.8, reportingWindowMs: 30_000, reportingFractionMin: 0.7 },
  eligibility: { conditions: ["idle", "charging"], minSeparation: 1 },
  heldOutFraction: 0.2,
  sum: { kind: "plain", because: "The digits are public; the example shows learning, not privacy.", clipNorm: 10, weightMax: 150 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 },
  durability: "checkpoint",
  evaluation: { everyRounds: 10, goalCount: 100, windowMs: 30_000, fractionMin: 0.5 },
  stop: { rounds: 30 },
} satisfies TaskDocument;
