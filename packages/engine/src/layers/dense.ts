import type { DenseLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient, addWeightGradient, fusedRowsMax } from "./weight-gradient.ts";

/** y = x·W + b over the last axis; x [batch, …, in], W [in, units], b [units]. */
export function buildDense(layer: DenseLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const outputs = layer.units;
  const inputs = x.shape.at(-1) ?? 0;
  const rowsPerExample = x.exampleSize / inputs;
  const weights = site.parameter("kernel").offset;
  const bias = layer.bias ? site.parameter("bias").offset : null;
  if (rowsPerExample * site.maxBatch > fusedRowsMax) site.scratch(inputs * outputs);
  return {
    forward({ workspace: { kernels }, batch }) {
      const rows = batch * rowsPerExample;
      if (bias !== null) kernels.fillRows(rows, outputs, bias, y.value);
      kernels.gemmNN(rows, outputs, inputs, 1, x.value, inputs, weights, outputs, bias === null ? 0 : 1, y.value, outputs);
    },
    backward(pass) {
      const rows = pass.batch * rowsPerExample;
      const dy = gradientOf(y);
      if (x.gradient !== null) pass.workspace.kernels.gemmNT(rows, inputs, outputs, 1, dy, outputs, weights, outputs, 0, x.gradient, inputs);
      addWeightGradient(pass, { layer: layer.name, weights, inputs, outputs, rows, x: x.value, xStride: inputs, dy, dyStride: outputs });
      if (bias !== null) addBiasGradient(pass, { layer: layer.name, bias, rows, outputs, dy });
    },
  };
}
