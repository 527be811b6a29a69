import { taskName, type TaskDocument } from "@tutti/protocol";

/**
 * The heart rate from 5.12 s of a watch's pulse light and accelerometer: a regression, in beats per
 * second, on synthetic people. Huber's loss, because a window in which motion drowns the pulse is off by
 * far and should not rule the gradient.
 *
 * Measured without a network, five seeds: after 25 rounds 0.099 beats per second off on average on people
 * who never trained (5.9 a minute); whoever says the mean of all every time is 0.388 off (23.3 a minute).
 */
export default {
  name: taskName("heart-rate"),
  description: "Beats per second from a watch's pulse light and accelerometer. Synthetic people.",
  start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [64, 4] },
    target: { kind: "values", shape: [1] },
    layers: [
      { name: "conv1", kind: "conv1d", filters: 16, window: 9 },
      { name: "relu1", kind: "relu" },
      { name: "pool1", kind: "max-pool", window: [2] },
      { name: "conv2", kind: "conv1d", filters: 24, window: 9 },
      { name: "relu2", kind: "relu" },
      // The mean over time: a rate has no place within the window.
      { name: "pool2", kind: "global-average-pool" },
      { name: "dense", kind: "dense", units: 32 },
      { name: "relu3", kind: "relu" },
      { name: "out", kind: "dense", units: 1 },
    ],
    loss: { kind: "huber", delta: 0.2 },
    metrics: [{ kind: "mean-absolute-error" }],
  },
  job: { batchSize: 16, epochCount: 3, optimizer: { kind: "sgd", learningRate: 0.2 } },
  data: { collection: "watch-heart-rate", schemaVersion: 1, examplesMin: 20, examplesMax: 1000 },
  round: { goalCount: 10, overSelection: 1.2, selectionWindowMs: 10_000, selectionFractionMin: 0.8, reportingWindowMs: 30_000, reportingFractionMin: 0.7 },
  eligibility: { conditions: ["idle", "charging"], minSeparation: 1 },
  heldOutFraction: 0.2,
  sum: { kind: "plain", because: "Synthetic people have nothing to hide; the example shows a regression, not privacy.", clipNorm: 2, weightMax: 250 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 },
  durability: "checkpoint",
  evaluation: { everyRounds: 5, goalCount: 12, windowMs: 30_000, fractionMin: 0.5 },
  stop: { rounds: 25 },
} satisfies TaskDocument;
