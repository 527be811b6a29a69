import type { RecurrentLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { addOutputGradient, beginForward, endBackward, endForward, multiplyState, planRecurrence } from "./recurrence.ts";

/**
 * z = x·W + h·U + b; i, f, g, o = σ, σ, tanh, σ of z's quarters; c ← f·c + i·g; h ← o·tanh(c), from a
 * zero state (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).
 */
export function buildLstm(layer: RecurrentLayer, site: Site): LayerProgram {
  const r = planRecurrence(layer, 4, site);
  const cells = site.keep((r.length + 1) * site.maxBatch * r.units);
  const cellGradient = site.keep(site.maxBatch * r.units);
  return {
    forward(pass) {
      const { workspace: { kernels }, batch } = pass;
      const state = batch * r.units;
      beginForward(pass, r, site);
      kernels.fill(state, 0, cells);
      for (let t = 0; t < r.length; t++) {
        const gates = r.gates + t * batch * r.columns;
        // The state before the first step is zero.
        if (t > 0) multiplyState(pass, r, t, 1, gates);
        kernels.lstmCell(batch, r.units, gates, cells + t * state, cells + (t + 1) * state, r.hidden + (t + 1) * state);
      }
      endForward(pass, r, site);
    },
    backward(pass) {
      const { workspace: { kernels }, batch } = pass;
      const state = batch * r.units;
      kernels.fill(state, 0, cellGradient);
      for (let t = r.length - 1; t >= 0; t--) {
        const gates = r.gates + t * batch * r.columns;
        addOutputGradient(pass, r, t, site);
        kernels.lstmCellBackward(batch, r.units, gates, cells + t * state, cells + (t + 1) * state, r.hiddenGradient, cellGradient);
        if (t > 0) kernels.gemmNT(batch, r.units, r.columns, 1, gates, r.columns, r.recurrentKernel, r.columns, 0, r.hiddenGradient, r.units);
      }
      endBackward(pass, r, r.gates, site);
    },
  };
}
