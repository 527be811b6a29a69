import { assert, unreachable } from "@tutti/base";
import { fault } from "./fields.ts";
import { parameterCountMax } from "./limits.ts";
import type { Layer, Model, Shape } from "./model.ts";
import { elementCount, shapesOf } from "./shapes.ts";

/** One parameter tensor in the flat vector, row-major. `name` is layer/tensor. */
export type ParameterTensor = {
  readonly name: string;
  readonly layer: string;
  readonly shape: Shape;
  /** First element in the vector that travels. */
  readonly offset: number;
  readonly elementCount: number;
  readonly start: StartRule;
};

/** How a tensor is filled before the first round; `fanIn` and `fanOut` count connections. */
export type StartRule = { readonly kind: "uniform"; readonly bound: number } | { readonly kind: "constant"; readonly value: number };

/** Names, shapes and offsets of all parameters in ONE flat Float32Array. */
export type ParameterLayout = { readonly tensors: readonly ParameterTensor[]; readonly parameterCount: number };

type TensorWish = { readonly tensor: string; readonly shape: Shape; readonly start: StartRule };

/**
 * The layout of the vector that travels, is summed and is stored: layers in their order, tensors in
 * the order of docs/engine.md. Reports too many parameters by `fault`; a decoded model has passed.
 */
export function layoutOf(model: Model): ParameterLayout {
  const shapes = shapesOf(model);
  const feedsRelu = new Set(model.layers.filter((layer) => layer.kind === "relu").flatMap((layer) => layer.from));
  const tensors: ParameterTensor[] = [];
  let offset = 0;
  for (const layer of model.layers) {
    const input = shapes.get(layer.from[0] ?? "") ?? [];
    const output = shapes.get(layer.name) ?? [];
    for (const wish of wishesOf(layer, input, output, feedsRelu.has(layer.name))) {
      const count = elementCount(wish.shape);
      tensors.push({ name: `${layer.name}/${wish.tensor}`, layer: layer.name, shape: wish.shape, offset, elementCount: count, start: wish.start });
      offset += count;
      if (offset > parameterCountMax) fault("/layers", `at most ${parameterCountMax} parameters in all`);
    }
  }
  return { tensors, parameterCount: offset };
}

/** The layout of what remains when some layers do not travel (frozen or personal ones). */
export function layoutWithout(layout: ParameterLayout, layers: readonly string[]): ParameterLayout {
  let offset = 0;
  const tensors = layout.tensors.filter((tensor) => !layers.includes(tensor.layer)).map((tensor) => {
    const moved = { ...tensor, offset };
    offset += tensor.elementCount;
    return moved;
  });
  return { tensors, parameterCount: offset };
}

/** Copies between two vectors the tensors that `part`, a `layoutWithout` of `whole`, holds. */
export function gather(whole: ParameterLayout, part: ParameterLayout, vector: Float32Array): Float32Array {
  assert(vector.length === whole.parameterCount, "the vector has the whole layout's length");
  const gathered = new Float32Array(part.parameterCount);
  const wholeOffsets = new Map(whole.tensors.map((tensor) => [tensor.name, tensor.offset]));
  for (const tensor of part.tensors) {
    const from = wholeOffsets.get(tensor.name) ?? 0;
    gathered.set(vector.subarray(from, from + tensor.elementCount), tensor.offset);
  }
  return gathered;
}

const zeros: StartRule = { kind: "constant", value: 0 };
const ones: StartRule = { kind: "constant", value: 1 };

function wishesOf(layer: Layer, input: Shape, output: Shape, feedsRelu: boolean): readonly TensorWish[] {
  const width = input.at(-1) ?? 0;
  switch (layer.kind) {
    case "dense": {
      const kernel = { tensor: "kernel", shape: [width, layer.units], start: weightStart(width, layer.units, feedsRelu) };
      return layer.bias ? [kernel, { tensor: "bias", shape: [layer.units], start: zeros }] : [kernel];
    }
    case "tied-dense": return layer.bias ? [{ tensor: "bias", shape: [output.at(-1) ?? 0], start: zeros }] : [];
    case "conv1d": return convWishes([layer.window, width, layer.filters], layer.window, feedsRelu);
    case "conv2d": return convWishes([...layer.window, width, layer.filters], layer.window[0] * layer.window[1], feedsRelu);
    case "depthwise-conv2d": {
      const area = layer.window[0] * layer.window[1];
      return [{ tensor: "kernel", shape: [...layer.window, width], start: weightStart(area, area, feedsRelu) }, { tensor: "bias", shape: [width], start: zeros }];
    }
    case "embedding": return [{ tensor: "table", shape: [layer.vocabulary, layer.width], start: { kind: "uniform", bound: Math.sqrt(3 / layer.width) } }];
    case "lstm": return recurrentWishes(width, layer.units, 4);
    case "gru": return [...recurrentWishes(width, layer.units, 3), { tensor: "recurrent-bias", shape: [3 * layer.units], start: zeros }];
    case "layer-norm": case "group-norm": return [{ tensor: "scale", shape: [width], start: ones }, { tensor: "shift", shape: [width], start: zeros }];
    case "attention": return [
      { tensor: "qkv-kernel", shape: [width, 3 * width], start: weightStart(width, width, false) },
      { tensor: "qkv-bias", shape: [3 * width], start: zeros },
      { tensor: "output-kernel", shape: [width, width], start: weightStart(width, width, false) },
      { tensor: "output-bias", shape: [width], start: zeros },
    ];
    case "max-pool": case "average-pool": case "global-max-pool": case "global-average-pool": case "add": case "concat":
    case "flatten": case "reshape": case "dropout": case "relu": case "gelu": case "tanh": case "sigmoid": case "silu": return [];
    default: return unreachable(layer);
  }
}

function convWishes(shape: Shape, area: number, feedsRelu: boolean): readonly TensorWish[] {
  const [inputs, filters] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0];
  return [
    { tensor: "kernel", shape, start: weightStart(area * inputs, area * filters, feedsRelu) },
    { tensor: "bias", shape: [filters], start: zeros },
  ];
}

function recurrentWishes(width: number, units: number, gates: number): readonly TensorWish[] {
  return [
    { tensor: "kernel", shape: [width, gates * units], start: weightStart(width, units, false) },
    { tensor: "recurrent-kernel", shape: [units, gates * units], start: weightStart(units, units, false) },
    { tensor: "bias", shape: [gates * units], start: zeros },
  ];
}

/** He et al. 2015 before a relu (fan-in), else Glorot and Bengio 2010 (both fans); uniform, so exact by integers and one root. */
function weightStart(fanIn: number, fanOut: number, feedsRelu: boolean): StartRule {
  return { kind: "uniform", bound: feedsRelu ? Math.sqrt(6 / fanIn) : Math.sqrt(6 / (fanIn + fanOut)) };
}
