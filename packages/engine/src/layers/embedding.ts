import type { EmbeddingLayer, TiedDenseLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient, addWeightGradient, fusedRowsMax } from "./weight-gradient.ts";

/** Row `id` of the table [vocabulary, width] for every token; only the rows that were read get a gradient. */
export function buildEmbedding(layer: EmbeddingLayer, site: Site): LayerProgram {
  const ids = inputOf(site);
  const y = site.output;
  const table = site.parameter("table").offset;
  return {
    forward: ({ workspace: { kernels }, batch }) => kernels.gatherRows(batch * ids.exampleSize, layer.width, table, ids.value, y.value),
    backward({ workspace: { kernels }, batch, sink, frozen }) {
      if (!frozen.has(layer.name)) kernels.scatterAddRows(batch * ids.exampleSize, layer.width, sink.scale, gradientOf(y), ids.value, sink.base + table);
    },
  };
}

/** y = x·Tᵀ + b over the last axis, T [vocabulary, width] the embedding's table; x [batch, …, width]. */
export function buildTiedDense(layer: TiedDenseLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const [outputs, width] = [y.shape.at(-1) ?? 0, x.shape.at(-1) ?? 0];
  const rowsPerExample = x.exampleSize / width;
  const table = site.parameter("table", layer.embedding).offset;
  const bias = layer.bias ? site.parameter("bias").offset : null;
  if (rowsPerExample * site.maxBatch > fusedRowsMax) site.scratch(outputs * width);
  return {
    forward({ workspace: { kernels }, batch }) {
      const rows = batch * rowsPerExample;
      if (bias !== null) kernels.fillRows(rows, outputs, bias, y.value);
      kernels.gemmNT(rows, outputs, width, 1, x.value, width, table, width, bias === null ? 0 : 1, y.value, outputs);
    },
    backward(pass) {
      const rows = pass.batch * rowsPerExample;
      const dy = gradientOf(y);
      if (x.gradient !== null) pass.workspace.kernels.gemmNN(rows, width, outputs, 1, dy, outputs, table, width, 0, x.gradient, width);
      addWeightGradient(pass, { layer: layer.embedding, weights: table, inputs: outputs, outputs: width, rows, x: dy, xStride: outputs, dy: x.value, dyStride: width });
      if (bias !== null) addBiasGradient(pass, { layer: layer.name, bias, rows, outputs, dy });
    },
  };
}
