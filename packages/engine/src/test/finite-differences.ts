import type { Batch } from "../engine.ts";
import { jsWorkspace } from "../js/js-workspace.ts";
import type { Model } from "../model.ts";
import { NetworkTrainer } from "../network/network-trainer.ts";
import { idlePorts } from "./ports.ts";

/** The step of `gridVector`: exact in float32, and its square, the truncation error, is 4e-9. */
const step = 2 ** -14;

/** A trainer that computes in float64 from end to end. */
export function float64Trainer(model: Model, maxBatch: number): NetworkTrainer {
  return new NetworkTrainer({ model, maxBatch, workspace: jsWorkspace((count) => new Float64Array(count)), ports: idlePorts });
}

/** The slope of the batch's mean loss along every parameter, by central differences in float64. */
export function slopesByDifferences(model: Model, parameters: Float32Array, batch: Batch): Float64Array {
  const trainer = float64Trainer(model, batch.exampleCount);
  const unused = new Float32Array(parameters.length);
  const lossWith = (i: number, change: number): number => trainer.gradient(parameters.with(i, (parameters[i] ?? 0) + change), batch, unused);
  return Float64Array.from(parameters, (_, i) => (lossWith(i, step) - lossWith(i, -step)) / (2 * step));
}
