import type { Pass } from "../network/program.ts";

/**
 * Rows up to which W += α·XᵀdY may be fused: one block of k in the kernels. Beyond it each block
 * would round into W, and a pass was measured to drift by 23 %.
 */
export const fusedRowsMax = 384;

export type WeightGradient = {
  readonly layer: string;
  /** Parameter offset of the weights [inputs, outputs]. */
  readonly weights: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: number;
  /** x [rows, inputs] and dy [rows, outputs] with their row strides. */
  readonly x: number;
  readonly xStride: number;
  readonly dy: number;
  readonly dyStride: number;
};

/** Adds XᵀdY to the sink; needs inputs·outputs numbers of scratch at `scratchOffset` where rows may exceed `fusedRowsMax`. */
export function addWeightGradient(pass: Pass, g: WeightGradient, scratchOffset = 0): void {
  if (pass.frozen.has(g.layer)) return;
  const { kernels } = pass.workspace;
  const { base, scale, isFused } = pass.sink;
  const target = base + g.weights;
  if (!isFused || g.rows <= fusedRowsMax) {
    kernels.gemmTN(g.inputs, g.outputs, g.rows, scale, g.x, g.xStride, g.dy, g.dyStride, 1, target, g.outputs);
    return;
  }
  const whole = pass.scratch + scratchOffset;
  kernels.gemmTN(g.inputs, g.outputs, g.rows, 1, g.x, g.xStride, g.dy, g.dyStride, 0, whole, g.outputs);
  kernels.axpy(g.inputs * g.outputs, scale, whole, target);
}

export function addBiasGradient(pass: Pass, g: { readonly layer: string; readonly bias: number; readonly rows: number; readonly outputs: number; readonly dy: number }): void {
  if (pass.frozen.has(g.layer)) return;
  pass.workspace.kernels.addColumnSums(g.rows, g.outputs, pass.sink.scale, g.dy, pass.sink.base + g.bias);
}
