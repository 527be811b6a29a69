import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeModel } from "./decode-model.ts";
import { extentMax, layerCountMax } from "./limits.ts";
import { layoutOf } from "./layout.ts";

const dense = { name: "out", kind: "dense", units: 3 };
const document = {
  input: { kind: "features", shape: [4] }, target: { kind: "classes", shape: [], classCount: 3 },
  layers: [dense], loss: { kind: "softmax-cross-entropy" },
};
const picture = { ...document, input: { kind: "features", shape: [8, 8, 2] } };
const withLayers = (...layers: readonly object[]) => ({ ...document, layers: [...layers, dense] });

function faultOf(value: unknown): string {
  const decoded = decodeModel(value);
  return decoded.ok ? "accepted" : decoded.error.path;
}

test("a model is decoded with its defaults: the layer before, bias, stride 1, padding same", () => {
  const decoded = decodeModel({ ...picture, layers: [{ name: "conv", kind: "conv2d", filters: 5, window: [3, 3] }, { name: "pool", kind: "max-pool", window: [2, 2] }, { name: "flat", kind: "flatten" }, dense] });
  expect(decoded).toEqual({
    ok: true,
    value: {
      ...picture, metrics: [], loss: { kind: "softmax-cross-entropy", ignoreIndex: null },
      layers: [
        { name: "conv", kind: "conv2d", from: ["input"], filters: 5, window: [3, 3], stride: [1, 1], padding: "same" },
        { name: "pool", kind: "max-pool", from: ["conv"], window: [2, 2], stride: [2, 2], padding: "valid" },
        { name: "flat", kind: "flatten", from: ["pool"] },
        { ...dense, from: ["flat"], bias: true },
      ],
    },
  });
});

test("decoding what was decoded gives it again", () => {
  const once = decodeModel(withLayers({ name: "a", kind: "gelu" }, { name: "b", kind: "add", from: ["a", "input"] }, { name: "c", kind: "dropout", rate: 0.5 }));
  expect(once.ok && decodeModel(JSON.parse(JSON.stringify(once.value)))).toEqual(once);
});

describe("refuses, naming the path", () => {
  const layer = (change: object) => withLayers({ name: "a", kind: "dense", units: 2, ...change });
  test.each<readonly [string, unknown, string]>([
    ["what is no object", 7, "/"],
    ["a missing field", { ...document, loss: undefined }, "/loss"],
    ["an unknown field of the model", { ...document, code: "x" }, "/code"],
    ["an unknown field of a layer", layer({ activation: "relu" }), "/layers/0/activation"],
    ["an unknown layer kind", layer({ kind: "batch-norm" }), "/layers/0/kind"],
    ["no layers", { ...document, layers: [] }, "/layers"],
    ["more layers than the limit", { ...document, layers: Array.from({ length: layerCountMax + 1 }, (_, i) => ({ name: `l${i}`, kind: "relu" })) }, "/layers"],
    ["a NaN extent", layer({ units: Number.NaN }), "/layers/0/units"],
    ["an infinite extent", layer({ units: Number.POSITIVE_INFINITY }), "/layers/0/units"],
    ["an extent with a fraction", layer({ units: 2.5 }), "/layers/0/units"],
    ["an extent of zero", layer({ units: 0 }), "/layers/0/units"],
    ["a negative extent", layer({ units: -3 }), "/layers/0/units"],
    ["an extent as text", layer({ units: "2" }), "/layers/0/units"],
    ["an extent above the limit", layer({ units: extentMax + 1 }), "/layers/0/units"],
    ["a huge shape", { ...document, input: { kind: "features", shape: [4096, 4096, 4096] } }, "/layers/0"],
    ["a shape of too many axes", { ...document, input: { kind: "features", shape: [1, 1, 1, 1, 4] } }, "/input/shape"],
    ["too many parameters", withLayers({ name: "a", kind: "dense", units: extentMax }, { name: "b", kind: "dense", units: 64 }), "/layers"],
    ["a cycle: a layer that reads a later one", withLayers({ name: "a", kind: "add", from: ["input", "b"] }, { name: "b", kind: "relu" }), "/layers/0/from"],
    ["a layer that reads itself", withLayers({ name: "a", kind: "relu", from: ["a"] }), "/layers/0/from"],
    ["two layers of one name", withLayers({ name: "a", kind: "relu" }, { name: "a", kind: "relu" }), "/layers/1/name"],
    ["a layer called input", withLayers({ name: "input", kind: "relu" }), "/layers/0/name"],
    ["a layer that nobody reads", withLayers({ name: "a", kind: "relu" }, { name: "b", kind: "relu", from: ["input"] }), "/layers/0/name"],
    ["a name that would break a tensor's name", withLayers({ name: "a/b", kind: "relu" }), "/layers/0/name"],
    ["a join of one", withLayers({ name: "a", kind: "add", from: ["input"] }), "/layers/0/from"],
    ["a relu of two", withLayers({ name: "a", kind: "relu", from: ["input", "input"] }), "/layers/0/from"],
    ["inputs of different shapes that are added", withLayers({ name: "a", kind: "dense", units: 5 }, { name: "b", kind: "add", from: ["a", "input"] }), "/layers/1"],
    ["a window that does not fit", { ...picture, layers: [{ name: "a", kind: "conv2d", filters: 1, window: [9, 9], padding: "valid" }, { name: "f", kind: "flatten" }, dense] }, "/layers/0/window"],
    ["a window above the limit", { ...picture, layers: [{ name: "a", kind: "conv2d", filters: 1, window: [65, 1] }, { name: "f", kind: "flatten" }, dense] }, "/layers/0/window/0"],
    ["a convolution over a vector", withLayers({ name: "a", kind: "conv2d", filters: 1, window: [1, 1] }), "/layers/0"],
    ["a dropout of everything", withLayers({ name: "a", kind: "dropout", rate: 1 }), "/layers/0/rate"],
    ["an output that is not the target's", { ...document, layers: [{ ...dense, units: 4 }] }, "/target"],
    ["values under a softmax", { ...document, target: { kind: "values", shape: [3] } }, "/target/kind"],
    ["top-k without classes", { ...document, target: { kind: "values", shape: [3] }, loss: { kind: "huber" }, metrics: [{ kind: "top-k", k: 2 }] }, "/metrics/0"],
    ["tokens that nothing embeds", { ...document, input: { kind: "tokens", length: 4, vocabulary: 9 } }, "/layers/0"],
    ["an embedding smaller than the vocabulary", { ...document, input: { kind: "tokens", length: 4, vocabulary: 9 }, layers: [{ name: "e", kind: "embedding", vocabulary: 8, width: 2 }, { name: "f", kind: "flatten" }, dense] }, "/layers/0/vocabulary"],
    ["two layers tied to one embedding", { ...document, input: { kind: "tokens", length: 4, vocabulary: 3 }, layers: [{ name: "e", kind: "embedding", vocabulary: 3, width: 3 }, { name: "t", kind: "tied-dense", embedding: "e" }, { name: "u", kind: "tied-dense", embedding: "e" }] }, "/layers/2/embedding"],
    ["a prototype's field as if it were a document's", Object.assign(Object.create({ input: document.input }) as object, { ...document, input: undefined }), "/input"],
  ])("%s", (_name, value, path) => {
    expect(faultOf(value)).toBe(path);
  });
});

test("no JSON value makes the decoder throw", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    // None of these is a model: the input, the layers and the whole are never a JSON value that fast-check draws.
    for (const wrong of [value, { ...document, layers: [value] }, { ...document, input: value }]) expect(decodeModel(wrong).ok).toBe(false);
  }), { numRuns: 300 });
});

test("a layout is laid tensor after tensor without a hole", () => {
  const decoded = decodeModel({ ...picture, layers: [{ name: "c", kind: "conv2d", filters: 5, window: [3, 2] }, { name: "f", kind: "flatten" }, dense] });
  if (!decoded.ok) throw new Error(decoded.error.path);
  const layout = layoutOf(decoded.value);
  // 3·2·2·5 + 5 + 8·8·5·3 + 3
  expect(layout.tensors.map(({ name, shape, offset }) => ({ name, shape, offset }))).toEqual([
    { name: "c/kernel", shape: [3, 2, 2, 5], offset: 0 }, { name: "c/bias", shape: [5], offset: 60 },
    { name: "out/kernel", shape: [320, 3], offset: 65 }, { name: "out/bias", shape: [3], offset: 1025 },
  ]);
  expect(layout.parameterCount).toBe(1028);
});
