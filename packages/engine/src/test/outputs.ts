import type { Batch } from "../engine.ts";
import { jsWorkspace } from "../js/js-workspace.ts";
import type { Model, Shape } from "../model.ts";
import { Network } from "../network/network.ts";
import { planNetwork } from "../network/plan.ts";
import { modelOf } from "./models.ts";

/** A model of the given layers alone; `output` is the last one's shape. */
export function bareModel(input: Shape, output: Shape, ...layers: readonly object[]): Model {
  return modelOf({ input: { kind: "features", shape: input }, target: { kind: "values", shape: output }, loss: { kind: "mean-squared-error" }, layers });
}

/** [exampleCount, ...output shape]: the last layer's output in float64, dropout off. */
export function outputOf(model: Model, parameters: Float32Array, batch: Batch): Float64Array {
  const network = new Network(model, planNetwork(model, batch.exampleCount), jsWorkspace((count) => new Float64Array(count)));
  network.workspace.numbers.set(parameters);
  network.load(batch, Uint32Array.from({ length: batch.exampleCount }, (_, i) => i), 0, batch.exampleCount);
  // Without the loss: its gradient may overwrite the output.
  const pass = { workspace: network.workspace, batch: batch.exampleCount, scratch: network.plan.scratch, random: null, frozen: new Set<string>(), sink: { base: 0, scale: 0, isFused: false } };
  for (const program of network.plan.programs) program.forward(pass);
  const { value, exampleSize } = network.plan.output;
  return Float64Array.from(network.workspace.numbers.subarray(value, value + batch.exampleCount * exampleSize));
}
