import { assert } from "@tutti/base";
import type { Layer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { buildConvolution } from "./convolution.ts";
import { buildDense } from "./dense.ts";
import { buildActivation, buildAdd, buildConcat, buildDropout } from "./elementwise.ts";
import { buildPooling } from "./pooling.ts";

/** Layer kinds that a `buildLayer` knows; `check` names the others as missing. */
export function isBuildable(kind: Layer["kind"]): boolean {
  return !["tied-dense", "depthwise-conv2d", "embedding", "lstm", "gru", "layer-norm", "group-norm", "attention"].includes(kind);
}

export function buildLayer(layer: Layer, site: Site): LayerProgram {
  switch (layer.kind) {
    case "dense": return buildDense(layer, site);
    case "conv1d": case "conv2d": return buildConvolution(layer, site);
    case "max-pool": case "average-pool": case "global-max-pool": case "global-average-pool": return buildPooling(layer, site);
    case "relu": case "gelu": case "tanh": case "sigmoid": case "silu": return buildActivation(layer, site);
    case "dropout": return buildDropout(layer, site);
    case "add": return buildAdd(layer, site);
    case "concat": return buildConcat(layer, site);
    default: assert(isBuildable(layer.kind), `check was asked before compile: ${layer.kind}`);
  }
  throw new Error("unreachable");
}
