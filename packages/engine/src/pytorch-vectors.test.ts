import { expect, test } from "vitest";
import type { Engine } from "./engine.ts";
import { nodeEngines } from "./node/node-engines.ts";
import { relativeL2 } from "./test/distance.ts";
import { idlePorts } from "./test/ports.ts";
import { firstOf, generateTask, jobOf, modelOfTask, vectorTasks, type VectorTask } from "../../../test/support/engines/vector-tasks.ts";

// Tolerances of vectors/engine.json.
const gradientOffMax = 1e-5;
const deltaOffMax = 2e-5;

const tasks = vectorTasks();
function taskOf(name: string): VectorTask {
  const task = tasks.get(name);
  if (task === undefined) throw new Error(`no task ${name}`);
  return task;
}
const pick = (vector: Float32Array, task: VectorTask): number[] => task.sample.index.map((i) => vector[i] ?? Number.NaN);

async function gradientOf(engine: Engine, name: string, count: number) {
  const task = taskOf(name);
  const { start, examples } = generateTask(task);
  const trainer = await engine.compile(modelOfTask(name, task), { maxBatch: count, numerics: "fast" });
  const gradient = new Float32Array(task.total);
  const loss = trainer.gradient(start, firstOf(examples, count), gradient);
  trainer.dispose();
  return { task, loss, sample: pick(gradient, task) };
}

const engines = nodeEngines(idlePorts).map((engine) => [engine.id, engine] as const);
const wholePasses = engines.flatMap(([id, engine]) => {
  // A pass of the others is 20 s and more of the js engine; of the two recurrent ones, one build each is enough.
  const names = ["softmax", "har", "mlp2nn", ...(id === "js" ? [] : ["cnn"]), ...(id === "wasm-relaxed" ? ["char"] : []), ...(id === "wasm-simd" ? ["nextword"] : [])];
  return names.map((name) => [id, name, engine] as const);
});

test.each(wholePasses)("%s gives PyTorch's first gradient and whole pass of %s", async (_id, name, engine) => {
  const { task, loss, sample } = await gradientOf(engine, name, taskOf(name).batch);
  expect(loss).toBeCloseTo(task.lossFirstAndLast[0], 5);
  expect(relativeL2(sample, task.sample.firstGradient)).toBeLessThan(gradientOffMax);
  const { start, examples } = generateTask(task);
  expect(pick(start, task)).toEqual(task.sample.initial);
  const trainer = await engine.compile(modelOfTask(name, task), { maxBatch: task.batch, numerics: "fast" });
  const result = await trainer.train({ ...jobOf(task, start), stepCountLimit: task.passBatches ?? null }, examples);
  const moved = task.sample.finalWeight.map((value, i) => value - (task.sample.initial[i] ?? 0));
  expect(relativeL2(pick(result.delta, task), moved)).toBeLessThan(deltaOffMax);
  expect(result.lossLast).toBeCloseTo(task.lossFirstAndLast[1], 4);
  trainer.dispose();
});

test.each(engines.flatMap(([id, engine]) => ["cnn", "nextword"].map((name) => [id, name, engine] as const)))("%s gives PyTorch's gradient of one example of %s, and not that of another", async (_id, name, engine) => {
  const { task, sample } = await gradientOf(engine, name, 1);
  expect(relativeL2(sample, task.sample.oneExampleGradient ?? [])).toBeLessThan(gradientOffMax);
  expect(relativeL2(sample, task.sample.firstGradient)).toBeGreaterThan(0.1);
});
