import { jit, lax, nn, numpy as np, valueAndGrad, type OwnedFunction } from "@jax-js/jax";
import { unreachable } from "@tutti/base";
import type { Batch, Engine, Layer, Loss, Model, ParameterLayout, PoolLayer, RecurrentLayer } from "@tutti/engine";
import { libraryEngine, type LibraryNetwork } from "./library-engine.ts";

/** What the bench's tasks are made of. */
const knownLayers: readonly Layer["kind"][] = ["dense", "embedding", "conv2d", "max-pool", "lstm", "flatten", "relu", "tanh", "sigmoid"];

/** An engine on jax-js, compiled by its own jit; an example of a foreign engine, and a second oracle. */
export function jaxEngine(id: string): Engine {
  return libraryEngine({ id, missing: missingOf, open: (model, layout) => new JaxNetwork(model, layout) });
}

function missingOf({ layers, loss }: Model): readonly string[] {
  const unknown = layers.filter((layer) => !knownLayers.includes(layer.kind) || (layer.kind === "max-pool" && !tilesInput(layer)));
  return [...unknown.map(({ kind }) => kind), ...(loss.kind === "softmax-cross-entropy" && loss.ignoreIndex === null ? [] : [loss.kind])];
}

/** Windows side by side over a picture. */
function tilesInput({ window, stride, padding }: PoolLayer): boolean {
  return window.length === 2 && padding === "valid" && window.every((extent, axis) => extent === stride[axis]);
}

type Step = (parameters: np.Array[], inputs: np.Array, targets: np.Array, learningRate: np.Array) => [np.Array, np.Array[]];
type Gradient = (parameters: np.Array[], inputs: np.Array, targets: np.Array) => [np.Array, np.Array[]];

/** In jax-js a function uses up its arguments: `x.ref` is one more use of x. */
class JaxNetwork implements LibraryNetwork {
  readonly #model: Model;
  readonly #layout: ParameterLayout;
  readonly #step: OwnedFunction<Step>;
  readonly #gradient: OwnedFunction<Gradient>;
  #parameters: np.Array[] = [];

  constructor(model: Model, layout: ParameterLayout) {
    this.#model = model;
    this.#layout = layout;
    const differentiated = valueAndGrad((parameters: np.Array[], inputs: np.Array, targets: np.Array): np.Array => this.#loss(parameters, inputs, targets));
    this.#gradient = jit<Gradient>((parameters, inputs, targets) => differentiated(parameters, inputs, targets));
    this.#step = jit<Step>((parameters, inputs, targets, learningRate) => {
      const [loss, gradients] = differentiated(parameters.map((one) => one.ref), inputs, targets);
      const moved = parameters.map((one, i) => one.sub((gradients[i] ?? np.zeros([])).mul(learningRate.ref)));
      learningRate.dispose();
      return [loss, moved];
    });
  }

  load(parameters: readonly Float32Array[]): void {
    this.#drop();
    this.#parameters = this.#layout.tensors.map(({ shape }, i) => np.array(Float32Array.from(parameters[i] ?? [])).reshape([...shape]));
  }

  read(): readonly Float32Array[] {
    return this.#parameters.map((one) => floatsOf(one.ref));
  }

  loss(batch: Batch): number {
    const { loss, gradients } = this.gradient(batch);
    return gradients.length === this.#parameters.length ? loss : Number.NaN;
  }

  gradient(batch: Batch): { readonly loss: number; readonly gradients: readonly Float32Array[] } {
    const [loss, gradients] = this.#gradient(this.#parameters.map((one) => one.ref), ...this.#arrays(batch));
    return { loss: floatsOf(loss)[0] ?? Number.NaN, gradients: gradients.map(floatsOf) };
  }

  step(batch: Batch, learningRate: number): number {
    const [loss, moved] = this.#step(this.#parameters, ...this.#arrays(batch), np.array(learningRate));
    this.#parameters = moved;
    return floatsOf(loss)[0] ?? Number.NaN;
  }

  dispose(): void {
    this.#drop();
    this.#step.dispose();
    this.#gradient.dispose();
  }

  #drop(): void {
    for (const one of this.#parameters) one.dispose();
    this.#parameters = [];
  }

  #arrays({ exampleCount, inputs, targets }: Batch): [np.Array, np.Array] {
    const { input } = this.#model;
    const values = input.kind === "tokens" ? np.array(Int32Array.from(inputs)) : np.array(Float32Array.from(inputs));
    return [values.reshape([exampleCount, ...(input.kind === "tokens" ? [input.length] : input.shape)]), np.array(Int32Array.from(targets))];
  }

  /** Uses up all three. */
  #loss(parameters: np.Array[], inputs: np.Array, targets: np.Array): np.Array {
    let x = inputs;
    for (const layer of this.#model.layers) {
      x = outputOf(layer, x, (tensor) => (parameters[this.#layout.tensors.findIndex(({ name }) => name === `${layer.name}/${tensor}`)] ?? np.zeros([])).ref);
    }
    for (const one of parameters) one.dispose();
    return lossOf(this.#model.loss, x, targets);
  }
}

function floatsOf(array: np.Array): Float32Array {
  return Float32Array.from(array.dataSync());
}

type Weights = (tensor: string) => np.Array;

function outputOf(layer: Layer, x: np.Array, weights: Weights): np.Array {
  switch (layer.kind) {
    case "dense": {
      const y = np.matmul(x, weights("kernel"));
      return layer.bias ? y.add(weights("bias")) : y;
    }
    // By a product: what it gathers by index it cannot differentiate under jit.
    case "embedding": return np.matmul(nn.oneHot(x, layer.vocabulary), weights("table"));
    case "conv2d": {
      // It knows channels first alone.
      const y = lax.conv(x.transpose([0, 3, 1, 2]), weights("kernel").transpose([3, 2, 0, 1]), [...layer.stride], layer.padding === "same" ? "SAME" : "VALID");
      return y.transpose([0, 2, 3, 1]).add(weights("bias"));
    }
    case "max-pool": {
      const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
      const [windowHeight = 1, windowWidth = 1] = layer.window;
      const [rows, columns] = [Math.floor(height / windowHeight), Math.floor(width / windowWidth)];
      return np.max(x.slice([], [0, rows * windowHeight], [0, columns * windowWidth], []).reshape([batch, rows, windowHeight, columns, windowWidth, channels]), [2, 4]);
    }
    case "lstm": return lstm(layer, x, weights);
    case "flatten": return x.reshape([x.shape[0] ?? 0, -1]);
    case "relu": return nn.relu(x);
    case "tanh": return np.tanh(x);
    case "sigmoid": return nn.sigmoid(x);
    case "tied-dense": case "conv1d": case "depthwise-conv2d": case "average-pool": case "global-max-pool": case "global-average-pool": case "gru":
    case "layer-norm": case "group-norm": case "attention": case "add": case "concat": case "reshape": case "dropout": case "gelu": case "silu":
      throw new Error(`check says that ${layer.kind} is missing`);
    default: return unreachable(layer);
  }
}

function lstm(layer: RecurrentLayer, x: np.Array, weights: Weights): np.Array {
  const [batch = 0, length = 0] = x.shape;
  const { units } = layer;
  const recurrent = weights("recurrent-kernel");
  const inputs = np.matmul(x, weights("kernel")).add(weights("bias"));
  let [h, c] = [np.zeros([batch, units]), np.zeros([batch, units])];
  const states: np.Array[] = [];
  for (let t = 0; t < length; t++) {
    const z = inputs.ref.slice([], t, []).add(np.matmul(h, recurrent.ref));
    const gate = (i: number) => z.ref.slice([], [i * units, (i + 1) * units]);
    c = nn.sigmoid(gate(1)).mul(c).add(nn.sigmoid(gate(0)).mul(np.tanh(gate(2))));
    h = nn.sigmoid(gate(3)).mul(np.tanh(c.ref));
    z.dispose();
    states.push(h.ref);
  }
  for (const used of [inputs, recurrent, c]) used.dispose();
  if (layer.returns === "last") {
    for (const state of states) state.dispose();
    return h;
  }
  h.dispose();
  return np.stack(states, 1);
}

/** The mean over all positions. */
function lossOf(loss: Loss, output: np.Array, targets: np.Array): np.Array {
  if (loss.kind !== "softmax-cross-entropy") throw new Error(`check says that ${loss.kind} is missing`);
  const classCount = output.shape.at(-1) ?? 1;
  const logits = output.reshape([-1, classCount]);
  return nn.logSoftmax(logits, -1).mul(nn.oneHot(targets, classCount)).sum(-1).mean().mul(-1);
}
