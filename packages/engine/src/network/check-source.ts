import { assert } from "@tutti/base";
import type { BatchSource } from "../engine.ts";
import type { Model } from "../model.ts";
import { elementCount } from "../shapes.ts";

/** Asserts that examples have the model's shapes and that ids are in range: kernels use ids as addresses. */
export function checkSource(model: Model, source: BatchSource): void {
  const inputSize = model.input.kind === "tokens" ? model.input.length : elementCount(model.input.shape);
  const count = source.exampleCount;
  assert(source.inputs.length === count * inputSize, `inputs hold exampleCount x ${inputSize} numbers`);
  assert(source.targets.length === count * elementCount(model.target.shape), `targets hold exampleCount x ${elementCount(model.target.shape)} numbers`);
  if (model.input.kind === "tokens") assertIds(source.inputs, model.input.vocabulary, null, "token ids");
  if (model.target.kind === "classes") {
    assertIds(source.targets, model.target.classCount, model.loss.kind === "softmax-cross-entropy" ? model.loss.ignoreIndex : null, "class ids");
  }
}

function assertIds(ids: Float32Array | Int32Array, bound: number, ignored: number | null, what: string): void {
  for (const id of ids) assert(id === ignored || (Number.isInteger(id) && id >= 0 && id < bound), `${what} are integers in 0..${bound - 1}`);
}
