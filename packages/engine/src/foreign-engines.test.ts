import { setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, test } from "vitest";
import { jaxEngine } from "../../../test/support/engines/jax-engine.ts";
import { tfjsEngine } from "../../../test/support/engines/tfjs-engine.ts";
import { loadTfjsGradients } from "../../../test/support/engines/tfjs-gradients.ts";
import { jsEngine } from "./js/js-engine.ts";
import { relativeL2 } from "./test/distance.ts";
import { examplesOf, modelOf, parametersOf, sandwich } from "./test/models.ts";
import { idlePorts } from "./test/ports.ts";
import { jobOf } from "../../../test/support/engines/vector-tasks.ts";
import { TrainerQueue } from "./trainer-queue.ts";

const picture = sandwich([6, 6, 2], { name: "conv", kind: "conv2d", filters: 5, window: [3, 3] }, { name: "relu", kind: "relu" }, { name: "pool", kind: "max-pool", window: [2, 2] });
const language = modelOf({
  input: { kind: "tokens", length: 4, vocabulary: 6 }, target: { kind: "classes", shape: [4], classCount: 6 }, loss: { kind: "softmax-cross-entropy" },
  layers: [{ name: "table", kind: "embedding", vocabulary: 6, width: 3 }, { name: "lstm", kind: "lstm", units: 5 }, { name: "out", kind: "dense", units: 6 }],
});

beforeAll(async () => {
  await loadTfjsGradients();
  expect(await setBackend("cpu")).toBe(true);
});

describe.each([["tfjs-cpu", tfjsEngine("tfjs-cpu")], ["jax-js", jaxEngine("jax-js")]] as const)("%s, plugged in where an engine of ours would be,", (id, engine) => {
  test.each([["a convolution", picture], ["an embedding and a recurrence", language]] as const)("trains %s as ours does", async (_name, model) => {
    const parameters = parametersOf(model, 31);
    const examples = examplesOf(model, 10, 32);
    const results = [];
    for (const either of [engine, jsEngine(idlePorts)]) {
      const queue = new TrainerQueue({ engine: either, numerics: "fast", memoryBytesMax: 1e8 });
      const job = { ...jobOf({ batch: 4, lr: 0.1 }, parameters), epochCount: 2 };
      const trained = await queue.use({ model, maxBatch: 4, training: job }, async (trainer) => ({
        result: await trainer.train(job, examples), sums: await trainer.evaluate(parameters, examples),
      }));
      if (!trained.ok) throw new Error(trained.error.code);
      results.push(trained.value);
    }
    const [theirs, ours] = results;
    expect(theirs?.result.stepCount).toBe(6);
    expect(relativeL2(theirs?.result.delta ?? [], ours?.result.delta ?? [])).toBeLessThan(1e-5);
    expect(relativeL2([theirs?.sums.lossSum ?? 0], [ours?.sums.lossSum ?? 0])).toBeLessThan(1e-5);
  });

  test("says which layers it lacks, and is then refused like any other", async () => {
    const lacks = sandwich([6, 6, 2], { name: "drop", kind: "dropout", rate: 0.5 });
    expect(engine.check(lacks)).toEqual({ ok: false, missing: ["dropout"] });
    const queue = new TrainerQueue({ engine, numerics: "fast", memoryBytesMax: 1e8 });
    const used = await queue.use({ model: lacks, maxBatch: 1, training: null }, () => Promise.resolve(id));
    expect(used).toEqual({ ok: false, error: { code: "engine-missing", missing: ["dropout"] } });
  });
});
