import { SeededRandom } from "@tutti/base";
import { decodeModel } from "../decode-model.ts";
import type { Batch } from "../engine.ts";
import { layoutOf } from "../layout.ts";
import type { Model } from "../model.ts";
import { elementCount } from "../shapes.ts";

/** A model from its document; throws with the decoder's fault. */
export function modelOf(document: unknown): Model {
  const decoded = decodeModel(document);
  if (!decoded.ok) throw new Error(`${decoded.error.path}: expected ${decoded.error.expected}`);
  return decoded.value;
}

/**
 * A dense layer, the layers under test, and a dense layer: the first one's gradient passes through the
 * tested layers' input gradient. Targets are class ids.
 */
export function sandwich(shape: readonly number[], ...layers: readonly object[]): Model {
  return modelOf({
    input: { kind: "features", shape }, target: { kind: "classes", shape: [], classCount: 3 }, loss: { kind: "softmax-cross-entropy" },
    layers: [{ name: "first", kind: "dense", units: shape.at(-1) }, ...layers, { name: "flat", kind: "flatten" }, { name: "last", kind: "dense", units: 3 }],
  });
}

/** Values in [-1, 1) on the grid of 2^-14, so that a float32 holds them and a step of 2^-14 exactly. */
export function gridVector(count: number, seed: number): Float32Array<ArrayBuffer> {
  const random = SeededRandom.from(seed);
  return Float32Array.from({ length: count }, () => Math.floor((2 * random.uniform() - 1) * 2 ** 14) / 2 ** 14);
}

export function parametersOf(model: Model, seed: number): Float32Array<ArrayBuffer> {
  return gridVector(layoutOf(model).parameterCount, seed);
}

/** Random examples of a model's shapes. */
export function examplesOf(model: Model, exampleCount: number, seed: number): Batch {
  const random = SeededRandom.from(seed).split("examples");
  const ids = (count: number, bound: number): Int32Array => Int32Array.from({ length: count }, () => random.below(bound));
  const { input, target } = model;
  const targetCount = exampleCount * elementCount(target.shape);
  return {
    exampleCount,
    inputs: input.kind === "tokens" ? ids(exampleCount * input.length, input.vocabulary) : gridVector(exampleCount * elementCount(input.shape), seed + 1),
    targets: target.kind === "classes" ? ids(targetCount, target.classCount) : gridVector(targetCount, seed + 2),
  };
}
