import { AssertionError } from "@tutti/base";
import { expect, test } from "vitest";
import { serverOptimizer } from "./server-optimizer.ts";

const sum = { vector: Float64Array.of(6, -3), weight: 3 };

// 1 + 6/3 = 3, 1 − 3/3 = 0; with η = 1/2: 1 + 1 = 2, 1 − 1/2 = 1/2
test.each([[1, [3, 0]], [0.5, [2, 0.5]]])("with learning rate %d the model moves by that part of the weighted mean", (learningRate, expected) => {
  const parameters = Float32Array.of(1, 1);
  const optimizer = serverOptimizer({ kind: "fedavg", learningRate });
  expect([...optimizer.update(optimizer.init(2), parameters, sum).parameters]).toEqual(expected);
  expect([...parameters]).toEqual([1, 1]);
});

test("the mean is rounded to float32 once, at the end", () => {
  // In float32, 2^24 + 1 + 1 is 2^24; the float64 sum 2^24 + 2 is a float32.
  const optimizer = serverOptimizer({ kind: "fedavg", learningRate: 1 });
  expect(optimizer.update(null, Float32Array.of(2 ** 24), { vector: Float64Array.of(4), weight: 2 }).parameters[0]).toBe(2 ** 24 + 2);
});

test("a round without weight, or a sum of another length, makes no model", () => {
  const { update } = serverOptimizer({ kind: "fedavg", learningRate: 1 });
  expect(() => update(null, new Float32Array(2), { ...sum, weight: 0 })).toThrow(AssertionError);
  expect(() => update(null, new Float32Array(3), sum)).toThrow(AssertionError);
});
