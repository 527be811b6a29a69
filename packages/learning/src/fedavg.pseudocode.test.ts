import { instantMs } from "@tutti/base";
import { jsEngine, layoutOf, type BatchSource } from "@tutti/engine";
import { expect, test } from "vitest";
import { addToSum, sumGridOf } from "./exact-sum.ts";
import { beginLocalTraining, endLocalTraining } from "./local-training.ts";
import { serverOptimizer } from "./server-optimizer.ts";
import { classCount, featureCount, sgdTraining, softmaxModel, softmaxPeople } from "./test/softmax-people.ts";

// Algorithm 1 of McMahan et al. 2017, line by line, in float64, for the softmax regression W [features, classes], b [classes].

type Weights = number[];

/** Server executes. */
function federatedAveraging(w0: Weights, people: readonly BatchSource[], rounds: number): Weights {
  let w = w0;
  for (let t = 0; t < rounds; t++) {
    const clients = people.map((person) => ({ wK: clientUpdate(person, w), nK: person.exampleCount }));
    const n = clients.reduce((sum, { nK }) => sum + nK, 0);
    w = w.map((_, i) => clients.reduce((sum, { wK, nK }) => sum + (nK / n) * (wK[i] ?? 0), 0));
  }
  return w;
}

/** Run on client k. */
function clientUpdate(person: BatchSource, w0: Weights): Weights {
  const { batchSize, epochCount, optimizer } = sgdTraining;
  let w = w0;
  for (let epoch = 0; epoch < epochCount; epoch++) {
    for (let start = 0; start < person.exampleCount; start += batchSize) {
      const gradient = lossGradient(w, person, start, Math.min(start + batchSize, person.exampleCount));
      w = w.map((value, i) => value - optimizer.learningRate * (gradient[i] ?? 0));
    }
  }
  return w;
}

/** ∇ of the mean cross-entropy over the examples start..end−1. */
function lossGradient(w: Weights, { inputs, targets }: BatchSource, start: number, end: number): Weights {
  const gradient = w.map(() => 0);
  for (let example = start; example < end; example++) {
    const x = Array.from({ length: featureCount }, (_, f) => inputs[example * featureCount + f] ?? 0);
    const logits = Array.from({ length: classCount }, (_, c) => x.reduce((sum, value, f) => sum + value * (w[f * classCount + c] ?? 0), w[featureCount * classCount + c] ?? 0));
    const normaliser = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    logits.forEach((logit, c) => {
      const error = (Math.exp(logit) / normaliser - Number(targets[example] === c)) / (end - start);
      x.forEach((value, f) => { gradient[f * classCount + c] = (gradient[f * classCount + c] ?? 0) + error * value; });
      gradient[featureCount * classCount + c] = (gradient[featureCount * classCount + c] ?? 0) + error;
    });
  }
  return gradient;
}

/** The same with what devices and coordinator run: the engine, deltas, the exact sum, the server optimizer. */
async function tuttiAveraging(start: Float32Array<ArrayBuffer>, people: readonly BatchSource[], rounds: number): Promise<Float32Array> {
  const trainer = await jsEngine({ pause: async () => {}, now: () => instantMs(0) }).compile(softmaxModel, { maxBatch: sgdTraining.batchSize, numerics: "deterministic" });
  const grid = sumGridOf({ clipNorm: 100, weightMax: 100, reportsMax: people.length });
  const optimizer = serverOptimizer({ kind: "fedavg", learningRate: 1 });
  let state = optimizer.init(start.length);
  let parameters = start;
  for (let round = 0; round < rounds; round++) {
    const vector = new Float64Array(start.length);
    let weight = 0;
    for (const person of people) {
      const outcome = endLocalTraining(await trainer.train(beginLocalTraining(sgdTraining, { parameters, shuffleSeed: 0 }), person));
      if (!outcome.ok) throw new Error(outcome.error.code);
      addToSum(vector, outcome.value.delta, { weight: outcome.value.exampleCount, grid });
      weight += outcome.value.exampleCount;
    }
    ({ state, parameters } = optimizer.update(state, parameters, { vector, weight }));
  }
  return parameters;
}

function relativeDistance(a: readonly number[], b: readonly number[]): number {
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  return norm(a.map((value, i) => value - (b[i] ?? 0))) / norm(b);
}

test("five rounds over people with 3 to 17 examples end where the paper's loop ends", async () => {
  const people = softmaxPeople(11, [3, 8, 17, 5, 12]);
  const start = new Float32Array(layoutOf(softmaxModel).parameterCount);
  const expected = federatedAveraging([...start], people, 5);
  const measured = [...(await tuttiAveraging(start, people, 5))];
  // float32 against float64: 100 steps, each with relative rounding of 2^-24 ≈ 6e-8.
  expect(relativeDistance(measured, expected)).toBeLessThan(1e-5);
  // The twin tells algorithms apart: one round less, or everybody weighted alike, is far away.
  expect(relativeDistance(federatedAveraging([...start], people, 4), expected)).toBeGreaterThan(1e-2);
  expect(relativeDistance(federatedAveraging([...start], people.map((person) => ({ ...person, exampleCount: 3 })), 5), expected)).toBeGreaterThan(1e-2);
});
