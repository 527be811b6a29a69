import { describe, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import { nodeEngines } from "../node/node-engines.ts";
import { relativeL2 } from "../test/distance.ts";
import { float64Trainer, slopesByDifferences } from "../test/finite-differences.ts";
import { layerModels } from "../test/layer-models.ts";
import { examplesOf, parametersOf, sandwich } from "../test/models.ts";
import { idlePorts } from "../test/ports.ts";
import { jobOf } from "../../../../test/support/engines/vector-tasks.ts";

const engines = nodeEngines(idlePorts);

describe.each(Object.entries(layerModels))("%s", (_name, model) => {
  const parameters = parametersOf(model, 11);
  const exactGradient = (batchSize: number): Float32Array => {
    const gradient = new Float32Array(parameters.length);
    float64Trainer(model, batchSize).gradient(parameters, examplesOf(model, batchSize, 12), gradient);
    return gradient;
  };

  test.each([1, 3])("has the gradient of its loss's slopes in float64, batch of %d", (batchSize) => {
    // The gradient is rounded to float32 (6e-8) and the differences are off by 4e-9 of the third derivative.
    expect(relativeL2(exactGradient(batchSize), slopesByDifferences(model, parameters, examplesOf(model, batchSize, 12)))).toBeLessThan(1e-6);
  });

  test.each(engines.map((engine) => [engine.id, engine] as const))("%s gives that gradient in float32, and a step of plain SGD is −lr times it", async (_id, engine: Engine) => {
    // Batches smaller than what was compiled, and a small one before a larger: nothing of the one before may stay.
    const trainer = await engine.compile(model, { maxBatch: 4, numerics: "fast" });
    for (const batchSize of [1, 3]) {
      const gradient = new Float32Array(parameters.length);
      trainer.gradient(parameters, examplesOf(model, batchSize, 12), gradient);
      const exact = exactGradient(batchSize);
      expect(relativeL2(gradient, exact)).toBeLessThan(5e-6);
      const { delta } = await trainer.train(jobOf({ batch: batchSize, lr: 0.125 }, parameters), examplesOf(model, batchSize, 12));
      // Rounded into parameters of up to 1: 6e-8 each, against a step of 0.125 times the gradient.
      const roundedMax = 1.2e-7 * Math.sqrt(parameters.length);
      expect(Math.hypot(...delta.map((value, i) => value + 0.125 * (exact[i] ?? 0)))).toBeLessThan(roundedMax + 1e-5 * Math.hypot(...exact));
    }
  });

  test("keeps every frozen layer to the bit, in a fused step too", async () => {
    const trainer = float64Trainer(model, 3);
    const layers = [...new Set(trainer.layout.tensors.map(({ layer }) => layer))];
    const job = { ...jobOf({ batch: 3, lr: 0.125 }, parameters), personal: layers };
    for (const layer of layers) {
      // Personal layers are given back as they are after training: the frozen one as it was.
      const { personal } = await trainer.train({ ...job, frozen: [layer] }, examplesOf(model, 3, 12));
      const isKept = trainer.layout.tensors.filter((tensor) => tensor.layer === layer).every(({ offset, elementCount }) =>
        personal.subarray(offset, offset + elementCount).every((value, i) => value === parameters[offset + i]));
      expect(isKept, layer).toBe(true);
    }
  });
});

test("a gradient with one wrong element is seen by the differences", () => {
  const model = sandwich([5]);
  const parameters = parametersOf(model, 11);
  const batch = examplesOf(model, 2, 12);
  const gradient = new Float32Array(parameters.length);
  float64Trainer(model, 2).gradient(parameters, batch, gradient);
  gradient[7] = 1.001 * (gradient[7] ?? 0);
  expect(relativeL2(gradient, slopesByDifferences(model, parameters, batch))).toBeGreaterThan(1e-6);
});
