import { describe, expect, test } from "vitest";
import { AssertionError } from "@tutti/base";
import type { Engine } from "./engine.ts";
import { trainerBytesMax } from "./limits.ts";
import { nodeEngines } from "./node/node-engines.ts";
import { reachableBufferBytes } from "./test/collected-memory.ts";
import { relativeL2 } from "./test/distance.ts";
import { examplesOf, modelOf, parametersOf, sandwich } from "./test/models.ts";
import { idlePorts } from "./test/ports.ts";
import { generateTask, jobOf, modelOfTask, vectorTasks, type VectorTask } from "./test/vector-tasks.ts";

const engines = nodeEngines(idlePorts);
const engineOf = (id: string): Engine => engines.find((engine) => engine.id === id) ?? engines[0];
const pick = (vector: Float32Array, task: VectorTask): number[] => task.sample.index.map((i) => vector[i] ?? Number.NaN);
const convolutional = sandwich([6, 6, 2], { name: "conv", kind: "conv2d", filters: 5, window: [3, 3] }, { name: "relu", kind: "relu" }, { name: "pool", kind: "max-pool", window: [2, 2] }, { name: "drop", kind: "dropout", rate: 0.25 });

describe.each(engines.map(({ id }) => id))("%s", (id) => {
  const engine = engineOf(id);

  // char, two LSTM over 80 characters, is 20 s of the js engine; one of the two builds is enough.
  test.each(["softmax", "har", "mlp2nn", ...(id === "wasm-relaxed" ? ["char"] : [])])("gives PyTorch's first gradient and whole pass of %s", async (name) => {
    const task = vectorTasks()[name];
    if (task === undefined) throw new Error(name);
    const { start, examples } = generateTask(task);
    const trainer = await engine.compile(modelOfTask(name, task), { maxBatch: task.batch, numerics: "fast" });
    const gradient = new Float32Array(task.total);
    const firstOf = (values: Float32Array | Int32Array) => values.subarray(0, (values.length / examples.exampleCount) * task.batch);
    const first = { exampleCount: task.batch, inputs: firstOf(examples.inputs), targets: firstOf(examples.targets) };
    expect(pick(start, task)).toEqual(task.sample.initial);
    expect(trainer.gradient(start, first, gradient)).toBeCloseTo(task.lossFirstAndLast[0], 5);
    // Tolerances of vectors/engine.json: 1e-5 for the gradient, 2e-5 for the delta.
    expect(relativeL2(pick(gradient, task), task.sample.firstGradient)).toBeLessThan(1e-5);
    const result = await trainer.train(jobOf(task, start), examples);
    const moved = task.sample.finalWeight.map((value, i) => value - (task.sample.initial[i] ?? 0));
    expect(relativeL2(pick(result.delta, task), moved)).toBeLessThan(2e-5);
    expect(result.lossLast).toBeCloseTo(task.lossFirstAndLast[1], 4);
    trainer.dispose();
  });

  test("gives the same bits twice, whether its trainer is fresh or has trained another job before", async () => {
    const start = parametersOf(convolutional, 1);
    const job = { ...jobOf({ batch: 4, lr: 0.1 }, start), exampleOrder: "shuffled" as const, epochCount: 2, shuffleSeed: 5, clip: { per: "example" as const, norm: 1 } };
    const compile = () => engine.compile(convolutional, { maxBatch: 4, numerics: "fast" });
    const [used, fresh] = [await compile(), await compile()];
    await used.train({ ...job, shuffleSeed: 6, optimizer: { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 } }, examplesOf(convolutional, 30, 9));
    const results = [await used.train(job, examplesOf(convolutional, 10, 2)), await fresh.train(job, examplesOf(convolutional, 10, 2))];
    expect(results[0]).toEqual(results[1]);
  });

  test("its layers give the js engine's gradient on a batch of one and on more", async () => {
    for (const batchSize of [1, 5]) {
      const parameters = parametersOf(convolutional, 3);
      const gradients = await Promise.all([engine, engineOf("js")].map(async (either) => {
        const trainer = await either.compile(convolutional, { maxBatch: batchSize, numerics: "fast" });
        const gradient = new Float32Array(parameters.length);
        trainer.gradient(parameters, examplesOf(convolutional, batchSize, 4), gradient);
        return gradient;
      }));
      expect(relativeL2(gradients[0] ?? [], gradients[1] ?? [])).toBeLessThan(1e-5);
    }
  });

  test("says no to a trainer beyond the limit before it takes memory", async () => {
    const wide = modelOf({
      input: { kind: "features", shape: [1024] }, target: { kind: "values", shape: [1024] }, loss: { kind: "mean-squared-error" }, layers: [{ name: "out", kind: "tanh" }],
    });
    const check = engine.check(wide);
    const bytes = check.ok ? check.bytes(65_536) : 0;
    // 4 vectors (input, target, output, gradient) of 65536·1024·4 bytes are 1 GiB; twelve layers more are beyond 2 GiB.
    expect(bytes).toBeGreaterThan(2 ** 30);
    expect(bytes).toBeLessThan(trainerBytesMax);
    const deep = modelOf({ ...wide, layers: Array.from({ length: 12 }, (_, i) => ({ name: `t${i}`, kind: "tanh" })) });
    await expect(engine.compile(deep, { maxBatch: 65_536, numerics: "fast" })).rejects.toThrow(AssertionError);
  });

  test("sixty trainers made, used and disposed leave the memory where it was; ten that are kept do not", async () => {
    const wide = sandwich([400], { name: "wide", kind: "dense", units: 400 });
    const [parameters, examples] = [parametersOf(wide, 1), examplesOf(wide, 1, 1)];
    const used = async () => {
      const trainer = await engine.compile(wide, { maxBatch: 1, numerics: "fast" });
      await trainer.evaluate(parameters, examples);
      return trainer;
    };
    (await used()).dispose();
    const before = reachableBufferBytes();
    for (let i = 0; i < 60; i++) (await used()).dispose();
    // 322 003 parameters: one trainer takes 1.3 MB.
    expect(reachableBufferBytes() - before).toBeLessThan(1e6);
    const kept = await Promise.all(Array.from({ length: 10 }, used));
    expect(reachableBufferBytes() - before).toBeGreaterThan(10 * 1.28e6);
    for (const trainer of kept) trainer.dispose();
  });
});

test("the simd build trains deterministically, the relaxed build refuses to", async () => {
  const options = { maxBatch: 1, numerics: "deterministic" } as const;
  await expect(engineOf("wasm-relaxed").compile(convolutional, options)).rejects.toThrow("relaxed SIMD is not deterministic");
  await expect(engineOf("wasm-simd").compile(convolutional, options)).resolves.toBeDefined();
});

test("24 steps on the simd build end in the very bits that another machine found", async () => {
  const trainer = await engineOf("wasm-simd").compile(convolutional, { maxBatch: 5, numerics: "deterministic" });
  const result = await trainer.train({ ...jobOf({ batch: 5, lr: 0.1 }, parametersOf(convolutional, 1)), epochCount: 4 }, examplesOf(convolutional, 30, 2));
  const words = new Uint32Array(result.delta.buffer);
  // FNV-1a over the words: a change of any bit changes it. Made on x86-64; every machine gives it.
  expect(words.reduce((hash, word) => Math.imul(hash ^ word, 0x01000193) >>> 0, 0x811c9dc5)).toBe(3_196_590_560);
});
