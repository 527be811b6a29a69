import { ok, unreachable, type Result } from "@tutti/base";
import { decoded, fault, Fields, type DocumentFault } from "./fields.ts";
import { exampleRankMax, extentMax, joinCountMax, layerCountMax, layerNameCharactersMax, windowMax } from "./limits.ts";
import { layoutOf } from "./layout.ts";
import type { Layer, Loss, Metric, Model, ModelInput, ModelTarget, Pair, Shape } from "./model.ts";

/**
 * A model from untrusted JSON: every field known, every extent bounded, every layer fed by earlier
 * ones, every shape fitting. Absent `from` means the layer before; absent stride, padding, bias and
 * epsilon have the defaults of docs/engine.md. The fault names the path.
 */
export function decodeModel(value: unknown): Result<Model, DocumentFault> {
  return decoded(() => {
    const fields = new Fields(value, "");
    const model: Model = {
      input: decodeInput(fields.raw("input")),
      target: decodeTarget(fields.raw("target")),
      layers: decodeLayers(fields.list("layers", layerCountMax)),
      loss: decodeLoss(fields.raw("loss")),
      metrics: fields.has("metrics") ? fields.list("metrics", 8).map((metric, i) => decodeMetric(metric, `/metrics/${i}`)) : [],
    };
    fields.end();
    layoutOf(model);
    return ok(model);
  });
}

const extent = { min: 1, max: extentMax };
const window = { min: 1, max: windowMax };

function decodeShape(fields: Fields, name: string, lengthMin: number): Shape {
  return fields.integers(name, { lengthMin, lengthMax: exampleRankMax, ...extent });
}

function decodeInput(value: unknown): ModelInput {
  const fields = new Fields(value, "/input");
  const kind = fields.choice("kind", ["features", "tokens"]);
  const input: ModelInput = kind === "features"
    ? { kind, shape: decodeShape(fields, "shape", 1) }
    : { kind, length: fields.integer("length", extent), vocabulary: fields.integer("vocabulary", extent) };
  fields.end();
  return input;
}

function decodeTarget(value: unknown): ModelTarget {
  const fields = new Fields(value, "/target");
  const kind = fields.choice("kind", ["classes", "values"]);
  const target: ModelTarget = kind === "classes"
    ? { kind, shape: decodeShape(fields, "shape", 0), classCount: fields.integer("classCount", { min: 2, max: extentMax }) }
    : { kind, shape: decodeShape(fields, "shape", 1) };
  fields.end();
  return target;
}

function decodeLayers(items: readonly unknown[]): readonly Layer[] {
  if (items.length === 0) fault("/layers", "at least one layer");
  const earlier = new Set(["input"]);
  let before = "input";
  return items.map((item, i) => {
    const layer = decodeLayer(item, `/layers/${i}`, before);
    if (earlier.has(layer.name)) fault(`/layers/${i}/name`, "a name that no earlier layer has");
    for (const source of layer.from) {
      if (!earlier.has(source)) fault(`/layers/${i}/from`, `names of earlier layers only, not "${source.slice(0, layerNameCharactersMax)}"`);
    }
    earlier.add(layer.name);
    before = layer.name;
    return layer;
  });
}

const layerKinds = [
  "dense", "tied-dense", "conv1d", "conv2d", "depthwise-conv2d", "max-pool", "average-pool", "global-max-pool",
  "global-average-pool", "embedding", "lstm", "gru", "layer-norm", "group-norm", "attention", "add", "concat",
  "flatten", "reshape", "dropout", "relu", "gelu", "tanh", "sigmoid", "silu",
] as const satisfies readonly Layer["kind"][];

function decodeLayer(value: unknown, path: string, before: string): Layer {
  const fields = new Fields(value, path);
  const name = fields.text("name", layerNameCharactersMax);
  if (!/^[A-Za-z0-9_-]+$/.test(name)) fault(fields.at("name"), "letters, digits, - and _ only");
  const layer = decodeBody(fields, { name, from: decodeFrom(fields, before) });
  fields.end();
  return layer;
}

function decodeFrom(fields: Fields, before: string): readonly string[] {
  if (!fields.has("from")) return [before];
  return fields.list("from", joinCountMax).map((source, i) =>
    typeof source === "string" ? source : fault(`${fields.at("from")}/${i}`, "a layer's name"));
}

function decodeBody(fields: Fields, named: { readonly name: string; readonly from: readonly string[] }): Layer {
  const kind = fields.choice("kind", layerKinds);
  const isJoin = kind === "add" || kind === "concat";
  if (isJoin ? named.from.length < 2 : named.from.length !== 1) fault(fields.at("from"), isJoin ? "at least two layers" : "one layer");
  switch (kind) {
    case "dense": return { ...named, kind, units: fields.integer("units", extent), bias: fields.boolean("bias", true) };
    case "tied-dense": return { ...named, kind, embedding: fields.text("embedding", layerNameCharactersMax), bias: fields.boolean("bias", true) };
    case "conv1d": {
      const filters = fields.integer("filters", extent);
      return { ...named, kind, filters, window: fields.integer("window", window), stride: fields.integer("stride", { ...window, absent: 1 }), padding: decodePadding(fields, "same") };
    }
    case "conv2d": return { ...named, kind, filters: fields.integer("filters", extent), ...decodeWindow2d(fields) };
    case "depthwise-conv2d": return { ...named, kind, ...decodeWindow2d(fields) };
    case "max-pool": case "average-pool": {
      const extents = fields.integers("window", { lengthMin: 1, lengthMax: 2, ...window });
      const stride = fields.has("stride") ? fields.integers("stride", { lengthMin: extents.length, lengthMax: extents.length, ...window }) : extents;
      return { ...named, kind, window: extents, stride, padding: decodePadding(fields, "valid") };
    }
    case "embedding": return { ...named, kind, vocabulary: fields.integer("vocabulary", extent), width: fields.integer("width", extent) };
    case "lstm": case "gru":
      return { ...named, kind, units: fields.integer("units", extent), returns: fields.choice("returns", ["sequence", "last"], "sequence") };
    case "layer-norm": return { ...named, kind, epsilon: decodeEpsilon(fields) };
    case "group-norm": return { ...named, kind, groups: fields.integer("groups", extent), epsilon: decodeEpsilon(fields) };
    case "attention": return { ...named, kind, heads: fields.integer("heads", { min: 1, max: 1024 }), causal: fields.boolean("causal", false) };
    case "reshape": return { ...named, kind, shape: decodeShape(fields, "shape", 1) };
    case "dropout": return { ...named, kind, rate: fields.number("rate", { min: 0, max: 0.99 }) };
    case "add": case "concat": case "flatten": case "global-max-pool": case "global-average-pool":
    case "relu": case "gelu": case "tanh": case "sigmoid": case "silu": return { ...named, kind };
    default: return unreachable(kind);
  }
}

function decodeEpsilon(fields: Fields): number {
  return fields.number("epsilon", { above: 0, max: 1, absent: 1e-5 });
}

function decodePadding(fields: Fields, absent: "same" | "valid"): "same" | "valid" {
  return fields.choice("padding", ["same", "valid"], absent);
}

function decodeWindow2d(fields: Fields): { readonly window: Pair; readonly stride: Pair; readonly padding: "same" | "valid" } {
  const extents = decodePair(fields, "window");
  return { window: extents, stride: fields.has("stride") ? decodePair(fields, "stride") : [1, 1], padding: decodePadding(fields, "same") };
}

function decodePair(fields: Fields, name: string): Pair {
  const [first = 1, second = 1] = fields.integers(name, { lengthMin: 2, lengthMax: 2, ...window });
  return [first, second];
}

function decodeLoss(value: unknown): Loss {
  const fields = new Fields(value, "/loss");
  const kind = fields.choice("kind", ["softmax-cross-entropy", "sigmoid-cross-entropy", "mean-squared-error", "huber"]);
  const loss: Loss = kind === "softmax-cross-entropy"
    ? { kind, ignoreIndex: fields.has("ignoreIndex") && fields.raw("ignoreIndex") !== null ? fields.integer("ignoreIndex", { min: -1, max: extentMax }) : null }
    : kind === "huber" ? { kind, delta: fields.number("delta", { above: 0, max: 1e6, absent: 1 }) } : { kind };
  fields.end();
  return loss;
}

function decodeMetric(value: unknown, path: string): Metric {
  const fields = new Fields(value, path);
  const kind = fields.choice("kind", ["accuracy", "top-k", "mean-absolute-error"]);
  const metric: Metric = kind === "top-k" ? { kind, k: fields.integer("k", { min: 1, max: 100 }) } : { kind };
  fields.end();
  return metric;
}
