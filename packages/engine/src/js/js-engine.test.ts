import { expect, test } from "vitest";
import { generateTask, jobOf, modelOfTask, vectorTasks, type VectorTask } from "../test/vector-tasks.ts";
import { idlePorts } from "../test/ports.ts";
import { jsEngine } from "./js-engine.ts";

function relativeL2(measured: readonly number[], expected: readonly number[]): number {
  const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(measured.map((value, i) => value - (expected[i] ?? 0))) / norm(expected);
}

const pick = (vector: Float32Array, task: VectorTask): number[] => task.sample.index.map((i) => vector[i] ?? Number.NaN);

test.each(["softmax", "har", "mlp2nn"])("the first gradient and a whole pass of %s are PyTorch's", async (name) => {
  const task = vectorTasks()[name];
  if (task === undefined) throw new Error(name);
  const { start, examples } = generateTask(task);
  const trainer = await jsEngine(idlePorts).compile(modelOfTask(name, task), { maxBatch: task.batch, numerics: "deterministic" });
  const gradient = new Float32Array(task.total);
  const inputSize = examples.inputs.length / examples.exampleCount;
  const first = { exampleCount: task.batch, inputs: examples.inputs.subarray(0, task.batch * inputSize), targets: examples.targets.subarray(0, task.batch) };
  expect(pick(start, task)).toEqual(task.sample.initial);
  expect(trainer.gradient(start, first, gradient)).toBeCloseTo(task.lossFirstAndLast[0], 5);
  // Tolerances of vectors/engine.json: 1e-5 for the gradient, 2e-5 for the delta.
  expect(relativeL2(pick(gradient, task), task.sample.firstGradient)).toBeLessThan(1e-5);
  const result = await trainer.train(jobOf(task, start), examples);
  const moved = task.sample.finalWeight.map((value, i) => value - (task.sample.initial[i] ?? 0));
  expect(relativeL2(pick(result.delta, task), moved)).toBeLessThan(2e-5);
  expect(result.lossLast).toBeCloseTo(task.lossFirstAndLast[1], 4);
});
