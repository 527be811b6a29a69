import { setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, test } from "vitest";
import { tfjsEngine } from "../../../../test/support/engines/tfjs-engine.ts";
import { loadTfjsGradients } from "../../../../test/support/engines/tfjs-gradients.ts";
import type { Batch, Engine } from "../engine.ts";
import type { Model } from "../model.ts";
import { nodeEngines } from "../node/node-engines.ts";
import { relativeL2 } from "../test/distance.ts";
import { layerModels } from "../test/layer-models.ts";
import { examplesOf, parametersOf, sandwich } from "../test/models.ts";
import { idlePorts } from "../test/ports.ts";

/** A second opinion on every layer and loss: derivatives that somebody else wrote. */
const tfjs = tfjsEngine("tfjs-cpu");

beforeAll(async () => {
  await loadTfjsGradients();
  expect(await setBackend("cpu")).toBe(true);
});

async function gradientOf(engine: Engine, model: Model, parameters: Float32Array, batch: Batch) {
  const trainer = await engine.compile(model, { maxBatch: batch.exampleCount, numerics: "fast" });
  const gradient = new Float32Array(parameters.length);
  const loss = trainer.gradient(parameters, batch, gradient);
  trainer.dispose();
  return { loss, gradient };
}

/** Wide enough for tiles (winograd-convolution.ts), and too wide for finite differences. */
const tiled = [3, 5].map((window): [string, Model] => [
  `conv2d of many channels under a window of ${window}`, sandwich([7, 9, 16], { name: "under", kind: "conv2d", filters: 16, window: [window, window] }),
]);

describe.each([...Object.entries(layerModels), ...tiled])("%s", (_name, model) => {
  // Small, so that no sum over many channels saturates the softmax.
  const parameters = parametersOf(model, 21).map((value) => value / 8);
  const batch = examplesOf(model, 3, 22);

  test("has the gradient that tfjs-cpu finds, in all engines", async () => {
    const oracle = await gradientOf(tfjs, model, parameters, batch);
    for (const engine of nodeEngines(idlePorts)) {
      const ours = await gradientOf(engine, model, parameters, batch);
      expect(relativeL2([ours.loss], [oracle.loss]), engine.id).toBeLessThan(1e-5);
      expect(relativeL2(ours.gradient, oracle.gradient), engine.id).toBeLessThan(1e-5);
    }
  });
});
