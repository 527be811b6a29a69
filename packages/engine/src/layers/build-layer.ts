import { unreachable } from "@tutti/base";
import type { FlattenLayer, Layer, ReshapeLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { inputOf } from "../network/site.ts";
import { buildAttention } from "./attention.ts";
import { buildConvolution } from "./convolution.ts";
import { buildDense } from "./dense.ts";
import { buildDepthwise } from "./depthwise.ts";
import { buildActivation, buildAdd, buildConcat, buildDropout } from "./elementwise.ts";
import { buildEmbedding, buildTiedDense } from "./embedding.ts";
import { buildGru } from "./gru.ts";
import { buildLstm } from "./lstm.ts";
import { buildNorm } from "./norm.ts";
import { buildPooling } from "./pooling.ts";
import { buildWinograd, isWinograd } from "./winograd-convolution.ts";

/** The program of one layer; flatten and reshape have none, they see their input's numbers. */
export function buildLayer(layer: Exclude<Layer, FlattenLayer | ReshapeLayer>, site: Site): LayerProgram {
  switch (layer.kind) {
    case "dense": return buildDense(layer, site);
    case "tied-dense": return buildTiedDense(layer, site);
    case "embedding": return buildEmbedding(layer, site);
    case "conv1d": return buildConvolution(layer, site);
    case "conv2d": return isWinograd(layer, inputOf(site).shape.at(-1) ?? 0) ? buildWinograd(layer, site) : buildConvolution(layer, site);
    case "depthwise-conv2d": return buildDepthwise(layer, site);
    case "max-pool": case "average-pool": case "global-max-pool": case "global-average-pool": return buildPooling(layer, site);
    case "lstm": return buildLstm(layer, site);
    case "gru": return buildGru(layer, site);
    case "layer-norm": case "group-norm": return buildNorm(layer, site);
    case "attention": return buildAttention(layer, site);
    case "relu": case "gelu": case "tanh": case "sigmoid": case "silu": return buildActivation(layer, site);
    case "dropout": return buildDropout(layer, site);
    case "add": return buildAdd(layer, site);
    case "concat": return buildConcat(layer, site);
    default: return unreachable(layer);
  }
}
