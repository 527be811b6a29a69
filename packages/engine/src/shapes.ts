import { unreachable } from "@tutti/base";
import { fault } from "./fields.ts";
import { exampleElementsMax } from "./limits.ts";
import type { Layer, Model, ModelTarget, Padding, Shape } from "./model.ts";

/** One axis of a sliding window: `before` zeros stand left of the input. */
export type WindowAxis = { readonly input: number; readonly window: number; readonly stride: number; readonly before: number; readonly output: number };

export function elementCount(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The window axis of TensorFlow's "same" (spare padding behind) and "valid"; output 0 where the window does not fit. */
export function windowAxis(input: number, window: number, stride: number, padding: Padding): WindowAxis {
  if (padding === "valid") return { input, window, stride, before: 0, output: Math.max(0, Math.floor((input - window) / stride) + 1) };
  const output = Math.ceil(input / stride);
  const spare = Math.max(0, (output - 1) * stride + window - input);
  return { input, window, stride, before: Math.floor(spare / 2), output };
}

/**
 * Output shape of every layer by name, with "input" among them; tokens are [length].
 * Reports a layer that does not fit its input, and an output that does not fit loss and target,
 * by `fault` with the path.
 */
export function shapesOf(model: Model): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>([["input", model.input.kind === "tokens" ? [model.input.length] : model.input.shape]]);
  const embeddings = new Map<string, { vocabulary: number; width: number }>();
  model.layers.forEach((layer, i) => {
    const path = `/layers/${i}`;
    const inputs = layer.from.map((name) => shapes.get(name) ?? fault(`${path}/from`, "an earlier layer"));
    const wantsTokens = layer.kind === "embedding";
    if (layer.from.includes("input") && (model.input.kind === "tokens") !== wantsTokens) {
      fault(path, wantsTokens ? "tokens to embed" : "an embedding before anything else that reads tokens");
    }
    if (layer.kind === "embedding") checkEmbedding(layer, model, path, embeddings);
    const shape = layer.kind === "tied-dense" ? tiedShape(layer, inputs, embeddings, path) : outputShape(layer, inputs, path);
    if (elementCount(shape) > exampleElementsMax) fault(path, `an output of at most ${exampleElementsMax} numbers per example`);
    shapes.set(layer.name, shape);
  });
  const read = new Set(model.layers.flatMap((layer) => layer.from));
  model.layers.slice(0, -1).forEach((layer, i) => {
    if (!read.has(layer.name)) fault(`/layers/${i}/name`, "a layer that a later one reads");
  });
  checkOutput(model, shapes.get(model.layers.at(-1)?.name ?? "") ?? []);
  return shapes;
}

function checkEmbedding(layer: Extract<Layer, { kind: "embedding" }>, model: Model, path: string, embeddings: Map<string, { vocabulary: number; width: number }>): void {
  if (layer.from[0] !== "input") fault(`${path}/from`, "the model's input");
  if (model.input.kind === "tokens" && layer.vocabulary < model.input.vocabulary) fault(`${path}/vocabulary`, `at least the input's ${model.input.vocabulary}`);
  embeddings.set(layer.name, layer);
}

function tiedShape(layer: Extract<Layer, { kind: "tied-dense" }>, inputs: readonly Shape[], embeddings: Map<string, { vocabulary: number; width: number }>, path: string): Shape {
  const embedding = embeddings.get(layer.embedding) ?? fault(`${path}/embedding`, "the name of an earlier embedding that no other layer is tied to");
  // A second one would read a table that a fused step of the first has already moved.
  embeddings.delete(layer.embedding);
  const input = inputs[0] ?? [];
  if (input.at(-1) !== embedding.width) fault(path, `an input of width ${embedding.width}`);
  return [...input.slice(0, -1), embedding.vocabulary];
}

function outputShape(layer: Exclude<Layer, { kind: "tied-dense" }>, inputs: readonly Shape[], path: string): Shape {
  const input = inputs[0] ?? [];
  switch (layer.kind) {
    case "dense": return [...input.slice(0, -1), layer.units];
    case "embedding": return [...input, layer.width];
    case "conv1d": return slide(input, [layer.window], [layer.stride], layer.padding, path, layer.filters);
    case "conv2d": return slide(input, layer.window, layer.stride, layer.padding, path, layer.filters);
    case "depthwise-conv2d": case "max-pool": case "average-pool": return slide(input, layer.window, layer.stride, layer.padding, path);
    case "global-max-pool": case "global-average-pool": return input.length >= 2 ? input.slice(-1) : fault(path, "an input with positions and channels");
    case "lstm": case "gru":
      if (input.length !== 2) fault(path, "an input [length, width]");
      return layer.returns === "sequence" ? [input[0] ?? 0, layer.units] : [layer.units];
    case "group-norm": return (input.at(-1) ?? 0) % layer.groups === 0 ? input : fault(`${path}/groups`, `a divisor of ${input.at(-1)} channels`);
    case "attention":
      if (input.length !== 2) fault(path, "an input [length, width]");
      return (input[1] ?? 0) % layer.heads === 0 ? input : fault(`${path}/heads`, `a divisor of width ${input[1]}`);
    case "add": return inputs.every((other) => sameShape(other, input)) ? input : fault(path, "inputs of one shape");
    case "concat": return concatShape(inputs, path);
    case "flatten": return [elementCount(input)];
    case "reshape": return elementCount(layer.shape) === elementCount(input) ? layer.shape : fault(`${path}/shape`, `${elementCount(input)} numbers`);
    case "layer-norm": case "dropout": case "relu": case "gelu": case "tanh": case "sigmoid": case "silu": return input;
    default: return unreachable(layer);
  }
}

function slide(input: Shape, window: readonly number[], stride: readonly number[], padding: Padding, path: string, filters?: number): Shape {
  if (input.length !== window.length + 1) fault(path, `an input with ${window.length} axes and channels`);
  const axes = window.map((extent, axis) => windowAxis(input[axis] ?? 0, extent, stride[axis] ?? 1, padding).output);
  if (axes.includes(0)) fault(`${path}/window`, "a window that fits its input");
  return [...axes, filters ?? input.at(-1) ?? 0];
}

function concatShape(inputs: readonly Shape[], path: string): Shape {
  const lead = (inputs[0] ?? []).slice(0, -1);
  if (!inputs.every((shape) => sameShape(shape.slice(0, -1), lead))) fault(path, "inputs that differ in their last axis only");
  return [...lead, inputs.reduce((sum, shape) => sum + (shape.at(-1) ?? 0), 0)];
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** The shape that the last layer must have for `target`. */
function wantedOutput(target: ModelTarget): Shape {
  return target.kind === "classes" ? [...target.shape, target.classCount] : target.shape;
}

function checkOutput(model: Model, output: Shape): void {
  const isSoftmax = model.loss.kind === "softmax-cross-entropy";
  if (isSoftmax !== (model.target.kind === "classes")) fault("/target/kind", isSoftmax ? "classes, as the loss wants" : "values, as the loss wants");
  const wanted = wantedOutput(model.target);
  if (!sameShape(output, wanted)) fault("/target", `the last layer's shape [${output.join(", ")}], not [${wanted.join(", ")}]`);
  for (const [i, metric] of model.metrics.entries()) {
    if (metric.kind === "top-k" && !isSoftmax) fault(`/metrics/${i}`, "a softmax output");
    if (metric.kind === "mean-absolute-error" && isSoftmax) fault(`/metrics/${i}`, "an output of values");
  }
}
