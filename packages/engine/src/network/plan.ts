import { assert } from "@tutti/base";
import { buildLayer } from "../layers/build-layer.ts";
import { layoutOf, type ParameterLayout } from "../layout.ts";
import type { FlattenLayer, Layer, Model, ReshapeLayer } from "../model.ts";
import { elementCount, shapesOf } from "../shapes.ts";
import type { LayerProgram, Pass, Tensor } from "./program.ts";

/** Where everything lies in one trainer's memory, and the layers that work on it. Counts in numbers (4 bytes). */
export type NetworkPlan = {
  readonly layout: ParameterLayout;
  /** [parameterCount] at offset 0. */
  readonly parameters: 0;
  readonly input: Tensor;
  readonly targets: number;
  readonly targetSize: number;
  readonly output: Tensor;
  /** Three counts that the loss leaves. */
  readonly stats: number;
  readonly scratch: number;
  readonly programs: readonly LayerProgram[];
  /** All of the above, scratch included: what a trainer takes before a job asks for optimizer state. */
  readonly elementCount: number;
};

/** Vector loads want 16-byte boundaries, and may read up to 16 bytes past a tensor's end. */
const alignment = 4;

/** Counts a model's memory for batches of at most `maxBatch` and builds its layers; takes no memory. */
export function planNetwork(model: Model, maxBatch: number): NetworkPlan {
  const layout = layoutOf(model);
  const shapes = shapesOf(model);
  const area = { end: 0, scratch: 0 };
  const keep = (count: number): number => {
    const at = area.end;
    area.end += Math.ceil(count / alignment) * alignment + alignment;
    return at;
  };
  keep(layout.parameterCount);
  const tensors = placeTensors(model, shapes, maxBatch, keep);
  const input = tensorOf(tensors, "input");
  const last = tensorOf(tensors, model.layers.at(-1)?.name ?? "input");
  // A model of flatten and reshape alone has its input as output; the loss leaves a gradient all the same.
  const output = last.gradient === null ? { ...last, gradient: keep(maxBatch * last.exampleSize) } : last;
  const targetSize = elementCount(model.target.shape);
  const targets = keep(maxBatch * targetSize);
  const stats = keep(3);
  const written = new Set<number>();
  const programs = model.layers.toReversed().flatMap((layer) => {
    if (isAlias(layer)) return [];
    const output = tensorOf(tensors, layer.name);
    const inputs = layer.from.map((name) => addedTo(tensorOf(tensors, name), output, written, (tensor) => keep(maxBatch * tensor.exampleSize)));
    const program = buildLayer(layer, {
      name: layer.name, maxBatch, inputs: inputs.map((edge) => edge.tensor), output, keep,
      parameter: (name, owner = layer.name) => layout.tensors.find((tensor) => tensor.name === `${owner}/${name}`) ?? missing(name),
      scratch: (count) => {
        area.scratch = Math.max(area.scratch, count);
      },
    });
    const sums = inputs.flatMap((edge) => (edge.sum === null ? [] : [edge.sum]));
    return [sums.length === 0 ? program : withSums(program, sums)];
  }).toReversed();
  const scratch = keep(area.scratch);
  return { layout, parameters: 0, input, targets, targetSize, output, stats, scratch, programs, elementCount: area.end };
}

function missing(name: string): never {
  throw new Error(`the layout has no tensor ${name}`);
}

function tensorOf(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  assert(tensor !== undefined, "a decoded model names earlier layers only");
  return tensor;
}

/** Layers that only see their input under another shape. */
function isAlias(layer: Layer): layer is FlattenLayer | ReshapeLayer {
  return layer.kind === "flatten" || layer.kind === "reshape";
}

function placeTensors(model: Model, shapes: ReadonlyMap<string, readonly number[]>, maxBatch: number, keep: (count: number) => number): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const readers = readerCounts(model);
  const place = (name: string, gradient: "apart" | "over-value" | "none"): Tensor => {
    const shape = shapes.get(name) ?? [];
    const exampleSize = elementCount(shape);
    const value = keep(maxBatch * exampleSize);
    return { shape, exampleSize, value, gradient: gradient === "apart" ? keep(maxBatch * exampleSize) : gradient === "none" ? null : value };
  };
  tensors.set("input", place("input", "none"));
  for (const layer of model.layers) {
    const source = tensorOf(tensors, layer.from[0] ?? "input");
    const shape = shapes.get(layer.name) ?? [];
    const isShared = isAlias(layer) || (overwrites(layer, model) && readers.get(layer.from[0] ?? "") === 1);
    tensors.set(layer.name, isShared ? { ...source, shape } : place(layer.name, isLogits(layer, model) ? "over-value" : "apart"));
  }
  return tensors;
}

/** A last layer that does not need its own output again: the loss's gradient may overwrite it. */
function isLogits(layer: Layer, model: Model): boolean {
  return layer === model.layers.at(-1) && (layer.kind === "dense" || layer.kind === "tied-dense");
}

/** How many layers read each layer's output. */
function readerCounts(model: Model): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of model.layers.flatMap((layer) => layer.from)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** relu, tanh and sigmoid need only their own output for the gradient, and these producers none of theirs. */
function overwrites(layer: Layer, model: Model): boolean {
  if (layer.kind !== "relu" && layer.kind !== "tanh" && layer.kind !== "sigmoid") return false;
  const producer = model.layers.find((other) => other.name === layer.from[0]);
  return producer !== undefined && ["dense", "conv1d", "conv2d", "depthwise-conv2d", "add", "layer-norm", "group-norm"].includes(producer.kind);
}

type Sum = { readonly from: number; readonly to: number; readonly exampleSize: number };

/** The first layer that writes a tensor's gradient (the last in order) overwrites it; the others write beside it and are added. */
function addedTo(tensor: Tensor, output: Tensor, written: Set<number>, keepBeside: (tensor: Tensor) => number): { readonly tensor: Tensor; readonly sum: Sum | null } {
  if (tensor.gradient === null || tensor.gradient === output.gradient) return { tensor, sum: null };
  if (!written.has(tensor.gradient)) {
    written.add(tensor.gradient);
    return { tensor, sum: null };
  }
  const beside = keepBeside(tensor);
  return { tensor: { ...tensor, gradient: beside }, sum: { from: beside, to: tensor.gradient, exampleSize: tensor.exampleSize } };
}

function withSums(program: LayerProgram, sums: readonly Sum[]): LayerProgram {
  return {
    forward: (pass: Pass) => program.forward(pass),
    backward(pass: Pass) {
      program.backward(pass);
      for (const { from, to, exampleSize } of sums) pass.workspace.kernels.axpy(pass.batch * exampleSize, 1, from, to);
    },
  };
}
