import type { RecurrentLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { addOutputGradient, beginForward, endBackward, endForward, multiplyState, planRecurrence } from "./recurrence.ts";
import { addBiasGradient } from "./weight-gradient.ts";

/**
 * a = x·W + b, s = h·U + d in thirds r, z, n; r = σ(a + s), z = σ(a + s), n = tanh(a + r·s);
 * h ← (1 − z)·n + z·h, from a zero state (Cho et al. 2014, with the reset after the product, as cuDNN has it).
 */
export function buildGru(layer: RecurrentLayer, site: Site): LayerProgram {
  const r = planRecurrence(layer, 3, site);
  const stateGates = site.keep(site.maxBatch * r.length * r.columns);
  const recurrentBias = site.parameter("recurrent-bias").offset;
  return {
    forward(pass) {
      const { workspace: { kernels }, batch } = pass;
      const state = batch * r.units;
      beginForward(pass, r, site);
      kernels.fillRows(batch * r.length, r.columns, recurrentBias, stateGates);
      for (let t = 0; t < r.length; t++) {
        const row = t * batch * r.columns;
        if (t > 0) multiplyState(pass, r, t, 1, stateGates + row);
        kernels.gruCell(batch, r.units, r.gates + row, stateGates + row, r.hidden + t * state, r.hidden + (t + 1) * state);
      }
      endForward(pass, r, site);
    },
    backward(pass) {
      const { workspace: { kernels }, batch } = pass;
      const state = batch * r.units;
      for (let t = r.length - 1; t >= 0; t--) {
        const row = t * batch * r.columns;
        addOutputGradient(pass, r, t, site);
        kernels.gruCellBackward(batch, r.units, r.gates + row, stateGates + row, r.hidden + t * state, r.hiddenGradient, r.hiddenGradient);
        kernels.gemmNT(batch, r.units, r.columns, 1, stateGates + row, r.columns, r.recurrentKernel, r.columns, 1, r.hiddenGradient, r.units);
      }
      endBackward(pass, r, stateGates, site);
      addBiasGradient(pass, { layer: layer.name, bias: recurrentBias, rows: batch * r.length, outputs: r.columns, dy: stateGates });
    },
  };
}
