import { assert } from "@tutti/base";
import type { Site, Tensor } from "./program.ts";

/** The first input of a layer that has one. */
export function inputOf(site: Site): Tensor {
  const input = site.inputs[0];
  assert(input !== undefined, "every layer has an input");
  return input;
}

/** The gradient's offset of a tensor that has one. */
export function gradientOf(tensor: Tensor): number {
  assert(tensor.gradient !== null, "a layer's output has a gradient");
  return tensor.gradient;
}
