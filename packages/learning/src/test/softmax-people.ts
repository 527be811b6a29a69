import { SeededRandom } from "@tutti/base";
import type { BatchSource, LocalTraining, Model } from "@tutti/engine";

export const featureCount = 3;
export const classCount = 4;

export const softmaxModel: Model = {
  input: { kind: "features", shape: [featureCount] },
  target: { kind: "classes", shape: [], classCount },
  layers: [{ name: "out", kind: "dense", from: ["input"], units: classCount, bias: true }],
  loss: { kind: "softmax-cross-entropy", ignoreIndex: null },
  metrics: [{ kind: "accuracy" }],
};

export const sgdTraining: LocalTraining = {
  batchSize: 4, epochCount: 2, exampleOrder: "as-given", stepCountLimit: null, timeLimitMs: null,
  optimizer: { kind: "sgd", learningRate: 0.3, momentum: 0, weightDecay: 0 }, proximalTerm: 0, clip: null, frozen: [], personal: [],
};

/** People with different numbers of examples around class centres of their own. */
export function softmaxPeople(seed: number, exampleCounts: readonly number[]): readonly BatchSource[] {
  return exampleCounts.map((exampleCount, person) => {
    const random = SeededRandom.from(seed).split(person);
    const targets = Int32Array.from({ length: exampleCount }, () => random.below(classCount));
    const inputs = Float32Array.from({ length: exampleCount * featureCount }, (_, i) => {
      const target = targets[Math.floor(i / featureCount)] ?? 0;
      return Math.cos(target * (1 + (i % featureCount)) + person) + 0.3 * random.normal();
    });
    return { exampleCount, inputs, targets };
  });
}
