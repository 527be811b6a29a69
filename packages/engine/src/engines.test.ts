import { describe, expect, test } from "vitest";
import { AssertionError } from "@tutti/base";
import type { Engine } from "./engine.ts";
import { trainerBytesMax } from "./limits.ts";
import { nodeEngines } from "./node/node-engines.ts";
import { reachableBufferBytes } from "./test/collected-memory.ts";
import { relativeL2 } from "./test/distance.ts";
import { examplesOf, modelOf, parametersOf, sandwich } from "./test/models.ts";
import { idlePorts } from "./test/ports.ts";
import { jobOf } from "../../../test/support/engines/vector-tasks.ts";

const engines = nodeEngines(idlePorts);
const engineOf = (id: string): Engine => engines.find((engine) => engine.id === id) ?? engines[0];
const convolutional = sandwich([6, 6, 2], { name: "conv", kind: "conv2d", filters: 5, window: [3, 3] }, { name: "relu", kind: "relu" }, { name: "pool", kind: "max-pool", window: [2, 2] }, { name: "drop", kind: "dropout", rate: 0.25 });

describe.each(engines.map(({ id }) => id))("%s", (id) => {
  const engine = engineOf(id);

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

  test("a thousand trainers made, used and disposed leave the memory where it was; sixty that are kept do not", async () => {
    const wide = sandwich([100], { name: "wide", kind: "dense", units: 100 });
    const [parameters, examples] = [parametersOf(wide, 1), examplesOf(wide, 1, 1)];
    // 20 503 parameters: 82 KB, with WebAssembly 590 KB of packed panels more.
    const trainerBytes = 4 * parameters.length;
    const used = async () => {
      const trainer = await engine.compile(wide, { maxBatch: 1, numerics: "fast" });
      await trainer.evaluate(parameters, examples);
      return trainer;
    };
    (await used()).dispose();
    const before = reachableBufferBytes();
    for (let i = 0; i < 1000; i++) (await used()).dispose();
    // The collector may still be sweeping behind the last ones.
    expect(reachableBufferBytes() - before).toBeLessThan(40 * trainerBytes);
    const kept = await Promise.all(Array.from({ length: 60 }, used));
    expect(reachableBufferBytes() - before).toBeGreaterThan(59 * trainerBytes);
    for (const trainer of kept) trainer.dispose();
  });
});

test("the simd build trains deterministically, the relaxed build refuses to", async () => {
  const options = { maxBatch: 1, numerics: "deterministic" } as const;
  await expect(engineOf("wasm-relaxed").compile(convolutional, options)).rejects.toThrow("relaxed SIMD is not deterministic");
  await expect(engineOf("wasm-simd").compile(convolutional, options)).resolves.toBeDefined();
});

// FNV-1a over the delta's words: a change of any bit changes it. Found on x86-64, and on arm64 (qemu-user 7.2, Node 24.21).
test.each([
  ["a convolution, pooling and dropout", convolutional, 2_179_627_252],
  ["a convolution in tiles, gelu and group norm", sandwich([7, 9, 16], { name: "under", kind: "conv2d", filters: 16, window: [5, 5] }, { name: "act", kind: "gelu" }, { name: "norm", kind: "group-norm", groups: 4 }), 415_547_821],
  ["LSTM, GRU and attention", sandwich([6, 8], { name: "lstm", kind: "lstm", units: 12 }, { name: "gru", kind: "gru", units: 9 }, { name: "mix", kind: "dense", units: 8 }, { name: "attention", kind: "attention", heads: 2, causal: true }), 2_582_002_466],
] as const)("24 steps on the simd build through %s end in the very bits that another machine found", async (_name, model, hash) => {
  const trainer = await engineOf("wasm-simd").compile(model, { maxBatch: 5, numerics: "deterministic" });
  const result = await trainer.train({ ...jobOf({ batch: 5, lr: 0.05 }, parametersOf(model, 1).map((value) => value / 4)), epochCount: 4 }, examplesOf(model, 30, 2));
  const words = new Uint32Array(result.delta.buffer);
  expect(words.reduce((sum, word) => Math.imul(sum ^ word, 0x01000193) >>> 0, 0x811c9dc5)).toBe(hash);
});
