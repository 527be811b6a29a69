import { describe, expect, test } from "vitest";
import { decodeLocalTraining } from "./local-job.ts";
import { batchSizeMax } from "./limits.ts";

const training = { batchSize: 10, epochCount: 1, optimizer: { kind: "sgd", learningRate: 0.1 } };

test("a job is decoded with its defaults", () => {
  expect(decodeLocalTraining(training)).toEqual({
    ok: true,
    value: {
      batchSize: 10, epochCount: 1, exampleOrder: "shuffled", stepCountLimit: null, timeLimitMs: null, proximalTerm: 0, clip: null, frozen: [], personal: [],
      optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 },
    },
  });
});

test("decoding what was decoded gives it again, with every field set", () => {
  const full = {
    ...training, exampleOrder: "as-given", stepCountLimit: 5, timeLimitMs: 100, proximalTerm: 0.1, clip: { per: "example", norm: 1 }, frozen: ["a"], personal: ["b"],
    optimizer: { kind: "adamw", learningRate: 0.1, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.01 },
  };
  expect(decodeLocalTraining(full)).toEqual({ ok: true, value: full });
});

describe("refuses, naming the path", () => {
  const optimizer = (change: object) => ({ ...training, optimizer: { kind: "adam", learningRate: 0.1, ...change } });
  test.each<readonly [string, unknown, string]>([
    ["a batch of zero", { ...training, batchSize: 0 }, "/batchSize"],
    ["a batch above the limit", { ...training, batchSize: batchSizeMax + 1 }, "/batchSize"],
    ["half an epoch", { ...training, epochCount: 0.5 }, "/epochCount"],
    ["an unknown optimizer", optimizer({ kind: "lion" }), "/optimizer/kind"],
    ["an unknown field of the optimizer", optimizer({ momentum: 0.9 }), "/optimizer/momentum"],
    ["a beta of one, which would divide by zero", optimizer({ beta2: 1 }), "/optimizer/beta2"],
    ["a negative rate", optimizer({ learningRate: -1 }), "/optimizer/learningRate"],
    ["a rate that is no number", optimizer({ learningRate: Number.NaN }), "/optimizer/learningRate"],
    ["an epsilon of zero", optimizer({ epsilon: 0 }), "/optimizer/epsilon"],
    ["a clip to nothing", { ...training, clip: { per: "batch", norm: 0 } }, "/clip/norm"],
    ["a clip per layer", { ...training, clip: { per: "layer", norm: 1 } }, "/clip/per"],
    ["a negative proximal term", { ...training, proximalTerm: -1 }, "/proximalTerm"],
    ["a frozen layer that is no name", { ...training, frozen: [3] }, "/frozen/0"],
    ["an unknown field", { ...training, device: "phone" }, "/device"],
  ])("%s", (_name, value, path) => {
    const decoded = decodeLocalTraining(value);
    expect(decoded.ok ? "accepted" : decoded.error.path).toBe(path);
  });
});
