import type { Model } from "../model.ts";
import { modelOf, sandwich } from "./models.ts";

const conv2d = { name: "under", kind: "conv2d", filters: 4, window: [3, 2] };
const values = (loss: object) => modelOf({
  input: { kind: "features", shape: [5] }, target: { kind: "values", shape: [4] }, loss, layers: [{ name: "out", kind: "dense", units: 4 }],
});

/** Tokens of six kinds in fours, so that some come twice; the next one is predicted at every position. */
const language = (...layers: readonly object[]) => modelOf({
  input: { kind: "tokens", length: 4, vocabulary: 6 }, target: { kind: "classes", shape: [4], classCount: 6 }, loss: { kind: "softmax-cross-entropy" },
  layers: [{ name: "table", kind: "embedding", vocabulary: 6, width: 3 }, ...layers],
});

/** Small models by the layer, or the loss, that each is about. */
export const layerModels: Readonly<Record<string, Model>> = {
  "dense": sandwich([5], { name: "under", kind: "dense", units: 4 }),
  "dense without bias": sandwich([5], { name: "under", kind: "dense", units: 4, bias: false }),
  "dense over positions": sandwich([3, 2], { name: "under", kind: "dense", units: 4 }),
  "conv1d, same": sandwich([7, 2], { name: "under", kind: "conv1d", filters: 3, window: 4 }),
  "conv1d, valid, stride 2": sandwich([8, 2], { name: "under", kind: "conv1d", filters: 3, window: 3, stride: 2, padding: "valid" }),
  "conv2d, same": sandwich([4, 5, 2], conv2d),
  "conv2d, valid": sandwich([4, 5, 2], { ...conv2d, padding: "valid" }),
  "conv2d, same, stride 2 and 3": sandwich([5, 7, 2], { ...conv2d, stride: [2, 3] }),
  "conv2d, a window larger than its input": sandwich([2, 2, 2], { ...conv2d, window: [5, 5] }),
  "max-pool over a picture": sandwich([4, 6, 2], { name: "under", kind: "max-pool", window: [2, 3] }),
  "max-pool, same, overlapping": sandwich([5, 5, 2], { name: "under", kind: "max-pool", window: [3, 3], stride: [2, 2], padding: "same" }),
  "max-pool over a sequence": sandwich([7, 3], { name: "under", kind: "max-pool", window: [2] }),
  "average-pool": sandwich([5, 4, 2], { name: "under", kind: "average-pool", window: [2, 2] }),
  "average-pool, same, overlapping": sandwich([5, 5, 2], { name: "under", kind: "average-pool", window: [3, 3], stride: [2, 2], padding: "same" }),
  "global-max-pool": sandwich([3, 4, 2], { name: "under", kind: "global-max-pool" }),
  "global-average-pool": sandwich([3, 4, 2], { name: "under", kind: "global-average-pool" }),
  "flatten and reshape": sandwich([4, 3], { name: "flat0", kind: "flatten" }, { name: "under", kind: "reshape", shape: [2, 6] }, { name: "mix", kind: "dense", units: 2 }),
  "relu": sandwich([5], { name: "under", kind: "relu" }),
  "relu that may not overwrite its input": sandwich([5], { name: "under", kind: "relu" }, { name: "sum", kind: "add", from: ["first", "under"] }),
  "gelu": sandwich([5], { name: "under", kind: "gelu" }),
  "tanh": sandwich([5], { name: "under", kind: "tanh" }),
  "sigmoid": sandwich([5], { name: "under", kind: "sigmoid" }),
  "silu": sandwich([5], { name: "under", kind: "silu" }),
  "add of three": sandwich([5], { name: "a", kind: "dense", units: 5, from: ["first"] }, { name: "b", kind: "tanh", from: ["first"] }, { name: "under", kind: "add", from: ["a", "b", "first"] }),
  "add of a layer to itself": sandwich([5], { name: "under", kind: "add", from: ["first", "first"] }),
  "concat": sandwich([2, 3], { name: "a", kind: "dense", units: 2, from: ["first"] }, { name: "under", kind: "concat", from: ["a", "first", "a"] }),
  "depthwise-conv2d, same": sandwich([4, 5, 3], { name: "under", kind: "depthwise-conv2d", window: [3, 2] }),
  "depthwise-conv2d, valid, stride 2": sandwich([5, 6, 3], { name: "under", kind: "depthwise-conv2d", window: [2, 3], stride: [2, 2], padding: "valid" }),
  "layer-norm": sandwich([3, 5], { name: "under", kind: "layer-norm" }),
  "layer-norm under relu": sandwich([7], { name: "under", kind: "layer-norm" }, { name: "relu", kind: "relu" }),
  "group-norm": sandwich([2, 3, 6], { name: "under", kind: "group-norm", groups: 3 }),
  "group-norm of one group over a sequence": sandwich([4, 5], { name: "under", kind: "group-norm", groups: 1 }),
  "lstm": sandwich([4, 3], { name: "under", kind: "lstm", units: 5 }),
  "lstm, the last state": sandwich([4, 3], { name: "under", kind: "lstm", units: 5, returns: "last" }),
  "lstm over one position": sandwich([1, 3], { name: "under", kind: "lstm", units: 2 }),
  "two lstm": sandwich([3, 2], { name: "lower", kind: "lstm", units: 3 }, { name: "under", kind: "lstm", units: 4, returns: "last" }),
  "gru": sandwich([4, 3], { name: "under", kind: "gru", units: 5 }),
  "gru, the last state": sandwich([4, 3], { name: "under", kind: "gru", units: 5, returns: "last" }),
  "attention of two heads": sandwich([4, 6], { name: "under", kind: "attention", heads: 2 }),
  "attention, causal": sandwich([5, 4], { name: "under", kind: "attention", heads: 2, causal: true }),
  "a transformer's block": sandwich([3, 4], { name: "norm", kind: "layer-norm" }, { name: "mixed", kind: "attention", heads: 1, causal: true }, { name: "under", kind: "add", from: ["first", "mixed"] }),
  "embedding": language({ name: "wide", kind: "dense", units: 4 }, { name: "out", kind: "dense", units: 6 }),
  "embedding, tied": language({ name: "wide", kind: "dense", units: 3 }, { name: "out", kind: "tied-dense", embedding: "table" }),
  "embedding, tied without bias": language({ name: "wide", kind: "tanh" }, { name: "out", kind: "tied-dense", embedding: "table", bias: false }),
  "softmax cross-entropy at every position, with an ignored id": modelOf({
    input: { kind: "features", shape: [4, 3] }, target: { kind: "classes", shape: [4], classCount: 3 },
    loss: { kind: "softmax-cross-entropy", ignoreIndex: 1 }, layers: [{ name: "out", kind: "dense", units: 3 }],
  }),
  "sigmoid cross-entropy": values({ kind: "sigmoid-cross-entropy" }),
  "mean squared error": values({ kind: "mean-squared-error" }),
  "Huber on both sides of delta": values({ kind: "huber", delta: 0.5 }),
};
