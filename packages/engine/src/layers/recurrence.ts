import type { RecurrentLayer } from "../model.ts";
import type { Pass, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient, addWeightGradient, fusedRowsMax } from "./weight-gradient.ts";

/**
 * What LSTM and GRU share. Inside a recurrence everything is time-major, [length, batch, ·]: one step's
 * rows lie together, and all steps' rows are one matrix for the weights' gradients.
 */
export type Recurrence = {
  readonly layer: string;
  readonly length: number;
  readonly width: number;
  readonly units: number;
  /** gates·units: columns of both kernels. */
  readonly columns: number;
  readonly returnsSequence: boolean;
  /** Parameter offsets of W [width, columns], U [units, columns] and b [columns]. */
  readonly kernel: number;
  readonly recurrentKernel: number;
  readonly bias: number;
  /** x [length, batch, width]. */
  readonly inputs: number;
  /** [length, batch, columns]: x·W + b, then what the cell leaves there. */
  readonly gates: number;
  /** h [length + 1, batch, units]; entry t is the state before step t, entry 0 is zero. */
  readonly hidden: number;
  /** [batch, units], the loss's gradient at the state. */
  readonly hiddenGradient: number;
  /** U packed, once per minibatch: it is used `length` times. */
  readonly packed: number;
};

export function planRecurrence(layer: RecurrentLayer, gateCount: number, site: Site): Recurrence {
  const [length = 0, width = 0] = inputOf(site).shape;
  const { units } = layer;
  const { maxBatch } = site;
  const columns = gateCount * units;
  const rows = maxBatch * length;
  site.scratch(rows * Math.max(width, units));
  if (rows > fusedRowsMax) site.scratch(Math.max(width, units) * columns);
  return {
    layer: layer.name, length, width, units, columns, returnsSequence: layer.returns === "sequence",
    kernel: site.parameter("kernel").offset, recurrentKernel: site.parameter("recurrent-kernel").offset, bias: site.parameter("bias").offset,
    inputs: site.keep(rows * width), gates: site.keep(rows * columns), hidden: site.keep((rows + maxBatch) * units),
    hiddenGradient: site.keep(maxBatch * units), packed: site.keep(units * Math.ceil(columns / 8) * 8),
  };
}

/** Fills `inputs`, `gates` with x·W + b, the zero state and the packed U. */
export function beginForward({ workspace: { kernels }, batch }: Pass, r: Recurrence, site: Site): void {
  const rows = batch * r.length;
  for (let t = 0; t < r.length; t++) kernels.copyRows(batch, r.width, inputOf(site).value + t * r.width, r.length * r.width, r.inputs + t * batch * r.width, r.width);
  kernels.fillRows(rows, r.columns, r.bias, r.gates);
  kernels.gemmNN(rows, r.columns, r.width, 1, r.inputs, r.width, r.kernel, r.columns, 1, r.gates, r.columns);
  kernels.packWeights(r.units, r.columns, r.recurrentKernel, r.columns, r.packed);
  kernels.fill(batch * r.units, 0, r.hidden);
}

/** out [batch, columns] ← h·U + β·out for the state before step t. */
export function multiplyState({ workspace: { kernels }, batch }: Pass, r: Recurrence, t: number, beta: 0 | 1, out: number): void {
  kernels.gemmPacked(batch, r.columns, r.units, 1, r.hidden + t * batch * r.units, r.units, r.packed, beta, out, r.columns);
}

/** Gives the states, or the last one, to the layer's output. */
export function endForward({ workspace: { kernels }, batch }: Pass, r: Recurrence, site: Site): void {
  const { value } = site.output;
  const state = batch * r.units;
  if (!r.returnsSequence) kernels.copy(state, r.hidden + r.length * state, value);
  else for (let t = 0; t < r.length; t++) kernels.copyRows(batch, r.units, r.hidden + (t + 1) * state, r.units, value + t * r.units, r.length * r.units);
}

/** Adds what comes from above to the gradient at the state after step t; the last step, which comes first, begins from zero. */
export function addOutputGradient({ workspace: { kernels }, batch, scratch }: Pass, r: Recurrence, t: number, site: Site): void {
  const dy = gradientOf(site.output);
  const state = batch * r.units;
  const isLast = t === r.length - 1;
  if (isLast) kernels.fill(state, 0, r.hiddenGradient);
  if (r.returnsSequence) kernels.copyRows(batch, r.units, dy + t * r.units, r.length * r.units, scratch, r.units);
  else if (isLast) kernels.copy(state, dy, scratch);
  if (r.returnsSequence || isLast) kernels.axpy(state, 1, scratch, r.hiddenGradient);
}

/** From the gates' gradients of all steps to those of input and parameters; `stateGates` are the gradients at h·U. */
export function endBackward(pass: Pass, r: Recurrence, stateGates: number, site: Site): void {
  const { workspace: { kernels }, batch, scratch } = pass;
  const rows = batch * r.length;
  const dx = inputOf(site).gradient;
  if (dx !== null) {
    kernels.gemmNT(rows, r.width, r.columns, 1, r.gates, r.columns, r.kernel, r.columns, 0, scratch, r.width);
    for (let t = 0; t < r.length; t++) kernels.copyRows(batch, r.width, scratch + t * batch * r.width, r.width, dx + t * r.width, r.length * r.width);
  }
  const weights = { layer: r.layer, outputs: r.columns, rows, dyStride: r.columns };
  addWeightGradient(pass, { ...weights, weights: r.kernel, inputs: r.width, x: r.inputs, xStride: r.width, dy: r.gates });
  addWeightGradient(pass, { ...weights, weights: r.recurrentKernel, inputs: r.units, x: r.hidden, xStride: r.units, dy: stateGates });
  addBiasGradient(pass, { layer: r.layer, bias: r.bias, rows, outputs: r.columns, dy: r.gates });
}
