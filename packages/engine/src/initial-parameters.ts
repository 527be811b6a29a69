import { SeededRandom } from "@tutti/base";
import { layoutOf } from "./layout.ts";
import type { Model } from "./model.ts";

/**
 * The parameters before the first round, [parameterCount] float32 in the order of `layoutOf`.
 * Bit-equal on every machine for one seed: integers, IEEE division, product and root alone. Each
 * tensor has a generator of its own, so adding a layer leaves the others' values alone.
 */
export function initialParameters(model: Model, seed: number): Float32Array {
  const layout = layoutOf(model);
  const parameters = new Float32Array(layout.parameterCount);
  const random = SeededRandom.from(seed);
  for (const tensor of layout.tensors) {
    const values = parameters.subarray(tensor.offset, tensor.offset + tensor.elementCount);
    if (tensor.start.kind === "constant") {
      values.fill(tensor.start.value);
      continue;
    }
    const draws = random.split(tensor.name);
    for (let i = 0; i < values.length; i++) values[i] = (2 * draws.uniform() - 1) * tensor.start.bound;
  }
  return parameters;
}
