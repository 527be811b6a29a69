import * as tf from "@tensorflow/tfjs-core";
import { unreachable } from "@tutti/base";
import type { Batch, Engine, Layer, Loss, Model, ParameterLayout } from "@tutti/engine";
import { libraryEngine, type LibraryNetwork } from "./library-engine.ts";
import { tfjsAttention, tfjsCells } from "./tfjs-sequences.ts";

/**
 * An engine on the TensorFlow.js backend that is registered and chosen: its own convolutions, pools and
 * derivatives, so that it can bear witness against ours. Dropout is missing: its random numbers differ.
 */
export function tfjsEngine(id: string): Engine {
  return libraryEngine({ id, missing: (model) => model.layers.flatMap(({ kind }) => (kind === "dropout" ? [kind] : [])), open: (model, layout) => new TfjsNetwork(model, layout) });
}

/** The tensor of that name of a layer. */
export type Weights = (tensor: string, layer?: string) => tf.Tensor;

class TfjsNetwork implements LibraryNetwork {
  readonly #model: Model;
  readonly #layout: ParameterLayout;
  #variables: readonly tf.Variable[] = [];

  constructor(model: Model, layout: ParameterLayout) {
    this.#model = model;
    this.#layout = layout;
  }

  load(parameters: readonly Float32Array[]): void {
    this.dispose();
    this.#variables = this.#layout.tensors.map(({ shape }, i) => tf.variable(tf.tensor(parameters[i] ?? new Float32Array(0), [...shape])));
  }

  read(): readonly Float32Array[] {
    return this.#variables.map((variable) => variable.dataSync<"float32">());
  }

  loss(batch: Batch): number {
    return tf.tidy(() => this.#loss(batch).dataSync()[0] ?? Number.NaN);
  }

  gradient(batch: Batch): { readonly loss: number; readonly gradients: readonly Float32Array[] } {
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => this.#loss(batch), [...this.#variables]);
      return { loss: value.dataSync()[0] ?? Number.NaN, gradients: this.#variables.map(({ name }) => grads[name]?.dataSync<"float32">() ?? new Float32Array(0)) };
    });
  }

  step(batch: Batch, learningRate: number): number {
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => this.#loss(batch), [...this.#variables]);
      for (const variable of this.#variables) variable.assign(tf.sub(variable, tf.mul(grads[variable.name] ?? 0, learningRate)));
      return value.dataSync()[0] ?? Number.NaN;
    });
  }

  dispose(): void {
    tf.dispose([...this.#variables]);
  }

  #weights(layer: string): Weights {
    return (tensor, owner = layer) => this.#variables[this.#layout.tensors.findIndex(({ name }) => name === `${owner}/${tensor}`)] ?? tf.scalar(Number.NaN);
  }

  #loss(batch: Batch): tf.Scalar {
    const { input } = this.#model;
    const { exampleCount } = batch;
    const isTokens = input.kind === "tokens";
    const first = tf.tensor(isTokens ? Int32Array.from(batch.inputs) : Float32Array.from(batch.inputs), [exampleCount, ...(isTokens ? [input.length] : input.shape)]);
    const outputs = new Map<string, tf.Tensor>([["input", first]]);
    for (const layer of this.#model.layers) outputs.set(layer.name, outputOf(layer, layer.from.map((name) => outputs.get(name) ?? first), this.#weights(layer.name)));
    return lossOf(this.#model.loss, outputs.get(this.#model.layers.at(-1)?.name ?? "input") ?? first, batch);
  }
}

function outputOf(layer: Layer, inputs: readonly tf.Tensor[], weights: Weights): tf.Tensor {
  const x = inputs[0] ?? tf.scalar(Number.NaN);
  const batch = x.shape[0] ?? 0;
  switch (layer.kind) {
    case "dense": return dense(x, weights("kernel"), layer.bias ? weights("bias") : null, false);
    case "tied-dense": return dense(x, weights("table", layer.embedding), layer.bias ? weights("bias") : null, true);
    case "embedding": return tf.gather(weights("table"), tf.cast(x, "int32"));
    case "conv1d": return tf.add(picture(tf.conv2d(asPicture(x), picture(tf.expandDims(weights("kernel"), 0)), [1, layer.stride], layer.padding), x), weights("bias"));
    case "conv2d": return tf.add(tf.conv2d(asPicture(x), picture(weights("kernel")), pair(layer.stride), layer.padding), weights("bias"));
    case "depthwise-conv2d":
      return tf.add(tf.depthwiseConv2d(asPicture(x), picture(tf.expandDims(weights("kernel"), -1)), pair(layer.stride), layer.padding), weights("bias"));
    case "max-pool": return picture(tf.maxPool(asPicture(x), pair(layer.window), pair(layer.stride), layer.padding), x);
    case "average-pool": return picture(averagePool(asPicture(x), pair(layer.window), pair(layer.stride), layer.padding), x);
    case "global-max-pool": return tf.max(x, between(x));
    case "global-average-pool": return tf.mean(x, between(x));
    case "lstm": case "gru": return tfjsCells(layer, x, weights);
    case "attention": return tfjsAttention(layer, x, weights, dense);
    case "layer-norm": return tf.add(tf.mul(normalized(x, [-1], layer.epsilon), weights("scale")), weights("shift"));
    case "group-norm": {
      const groups = tf.reshape(x, [batch, -1, layer.groups, (x.shape.at(-1) ?? 0) / layer.groups]);
      return tf.add(tf.mul(tf.reshape(normalized(groups, [1, 3], layer.epsilon), x.shape), weights("scale")), weights("shift"));
    }
    case "add": return tf.addN([...inputs]);
    case "concat": return tf.concat([...inputs], -1);
    case "flatten": return tf.reshape(x, [batch, -1]);
    case "reshape": return tf.reshape(x, [batch, ...layer.shape]);
    case "relu": return tf.relu(x);
    case "tanh": return tf.tanh(x);
    case "sigmoid": return tf.sigmoid(x);
    case "silu": return tf.mul(x, tf.sigmoid(x));
    case "gelu": return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.pow(x, 3)))))));
    case "dropout": throw new Error("check says that dropout is missing");
    default: return unreachable(layer);
  }
}

function dense(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | null, isTransposed: boolean): tf.Tensor {
  const y = tf.matMul(tf.reshape(x, [-1, x.shape.at(-1) ?? 0]), kernel, false, isTransposed);
  const shaped = tf.reshape(y, [...x.shape.slice(0, -1), y.shape.at(-1) ?? 0]);
  return bias === null ? shaped : tf.add(shaped, bias);
}

function normalized(x: tf.Tensor, axes: number[], epsilon: number): tf.Tensor {
  const { mean, variance } = tf.moments(x, axes, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
}

/**
 * Zeros put around by hand, and each mean corrected for those that it counted: tfjs-cpu 4.22 divides the
 * derivative of a padded average by the whole window, against its own forward pass.
 */
function averagePool(x: tf.Tensor4D, window: [number, number], stride: [number, number], padding: "same" | "valid"): tf.Tensor {
  if (padding === "valid") return tf.avgPool(x, window, stride, "valid");
  const around = [0, 1].map((axis): [number, number] => {
    const [extent, step, under] = [x.shape[axis + 1] ?? 0, stride[axis] ?? 1, window[axis] ?? 1];
    const spare = Math.max(0, (Math.ceil(extent / step) - 1) * step + under - extent);
    return [Math.floor(spare / 2), Math.ceil(spare / 2)];
  });
  const sums = (values: tf.Tensor4D) => tf.avgPool(tf.pad4d(values, [[0, 0], around[0] ?? [0, 0], around[1] ?? [0, 0], [0, 0]]), window, stride, "valid");
  return tf.div(sums(x), sums(tf.onesLike(x)));
}

/** A sequence [batch, length, channels] as a picture of height 1; a picture as it is. */
function asPicture(x: tf.Tensor): tf.Tensor4D {
  return picture(x.rank === 3 ? tf.expandDims(x, 1) : x);
}

/** `x` in four axes, or in those of `like`: the height of 1 goes again. */
function picture(x: tf.Tensor): tf.Tensor4D;
function picture(x: tf.Tensor, like: tf.Tensor): tf.Tensor;
function picture(x: tf.Tensor, like?: tf.Tensor): tf.Tensor {
  if (like?.rank === 3) return tf.squeeze(x, [1]);
  const [a = 0, b = 0, c = 0, d = 0] = x.shape;
  return tf.reshape<tf.Rank.R4>(x, [a, b, c, d]);
}

function pair(extents: readonly number[]): [number, number] {
  const [first = 1, second] = extents;
  return second === undefined ? [1, first] : [first, second];
}

/** All axes but batch and channels. */
function between(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 2 }, (_, i) => i + 1);
}

function lossOf(loss: Loss, output: tf.Tensor, { targets }: Batch): tf.Scalar {
  if (loss.kind === "softmax-cross-entropy") {
    const classCount = output.shape.at(-1) ?? 1;
    const logits = tf.reshape(output, [-1, classCount]);
    const counted = tf.tensor1d(Float32Array.from(targets, (id) => (id === loss.ignoreIndex ? 0 : 1)));
    const ids = tf.tensor1d(Int32Array.from(targets, (id) => (id === loss.ignoreIndex ? 0 : id)), "int32");
    const losses = tf.sub(tf.logSumExp(logits, -1), tf.sum(tf.mul(logits, tf.oneHot(ids, classCount)), -1));
    return tf.div(tf.sum(tf.mul(losses, counted)), tf.sum(counted));
  }
  const wanted = tf.tensor(Float32Array.from(targets), output.shape);
  const off = tf.sub(output, wanted);
  switch (loss.kind) {
    case "sigmoid-cross-entropy": return tf.mean(tf.add(tf.sub(tf.relu(output), tf.mul(output, wanted)), tf.log1p(tf.exp(tf.neg(tf.abs(output))))));
    case "mean-squared-error": return tf.mean(tf.square(off));
    case "huber": {
      // δ·(a − δ/2) + max(0, δ − a)²/2, a = |e|: a comparison has no derivative here.
      const distance = tf.abs(off);
      const inside = tf.relu(tf.sub(loss.delta, distance));
      return tf.mean(tf.add(tf.mul(loss.delta, tf.sub(distance, loss.delta / 2)), tf.mul(0.5, tf.square(inside))));
    }
    default: return unreachable(loss);
  }
}
