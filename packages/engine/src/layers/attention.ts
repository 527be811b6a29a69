import type { AttentionLayer } from "../model.ts";
import type { LayerProgram, Pass, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient, addWeightGradient, fusedRowsMax } from "./weight-gradient.ts";

type Attention = {
  readonly layer: AttentionLayer;
  readonly length: number;
  readonly width: number;
  /** Width of one head. */
  readonly headWidth: number;
  /** q, k, v side by side: [batch, length, 3·width]. */
  readonly qkv: number;
  /** Softmax of the scores [batch, heads, length, length]. */
  readonly weights: number;
  /** The heads' outputs side by side [batch, length, width]. */
  readonly mixed: number;
};

/**
 * y = concat over heads of softmax(q·kᵀ/√d)·v, times Wₒ, plus bₒ; q, k, v = x·W + b (Vaswani et al. 2017,
 * section 3.2). Causal: a position sees itself and earlier ones. x [batch, length, width].
 */
export function buildAttention(layer: AttentionLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const [length = 0, width = 0] = x.shape;
  const rowsMax = site.maxBatch * length;
  const a: Attention = {
    layer, length, width, headWidth: width / layer.heads,
    qkv: site.keep(rowsMax * 3 * width), weights: site.keep(rowsMax * layer.heads * length), mixed: site.keep(rowsMax * width),
  };
  const [qkvKernel, qkvBias] = [site.parameter("qkv-kernel").offset, site.parameter("qkv-bias").offset];
  const [outKernel, outBias] = [site.parameter("output-kernel").offset, site.parameter("output-bias").offset];
  const scratchWeights = rowsMax * 4 * width + length * length;
  site.scratch(scratchWeights + (rowsMax > fusedRowsMax ? 3 * width * width : 0));
  return {
    forward(pass) {
      const { workspace: { kernels }, batch } = pass;
      const rows = batch * length;
      kernels.fillRows(rows, 3 * width, qkvBias, a.qkv);
      kernels.gemmNN(rows, 3 * width, width, 1, x.value, width, qkvKernel, 3 * width, 1, a.qkv, 3 * width);
      eachHead(pass, a, (head) => mix(pass, a, head));
      kernels.fillRows(rows, width, outBias, y.value);
      kernels.gemmNN(rows, width, width, 1, a.mixed, width, outKernel, width, 1, y.value, width);
    },
    backward(pass) {
      const { workspace: { kernels }, batch, scratch } = pass;
      const rows = batch * length;
      const dy = gradientOf(y);
      const dMixed = scratch + rowsMax * 3 * width;
      kernels.gemmNT(rows, width, width, 1, dy, width, outKernel, width, 0, dMixed, width);
      eachHead(pass, a, (head) => mixBackward(pass, a, head, { dQkv: scratch, dMixed, dScores: dMixed + rowsMax * width }));
      if (x.gradient !== null) kernels.gemmNT(rows, width, 3 * width, 1, scratch, 3 * width, qkvKernel, 3 * width, 0, x.gradient, width);
      const { name } = layer;
      addWeightGradient(pass, { layer: name, weights: qkvKernel, inputs: width, outputs: 3 * width, rows, x: x.value, xStride: width, dy: scratch, dyStride: 3 * width }, scratchWeights);
      addBiasGradient(pass, { layer: name, bias: qkvBias, rows, outputs: 3 * width, dy: scratch });
      addWeightGradient(pass, { layer: name, weights: outKernel, inputs: width, outputs: width, rows, x: a.mixed, xStride: width, dy, dyStride: width }, scratchWeights);
      addBiasGradient(pass, { layer: name, bias: outBias, rows, outputs: width, dy });
    },
  };
}

/** Offsets of one example's head, in numbers from the beginning of each tensor. */
type Head = { readonly qkv: number; readonly weights: number; readonly mixed: number };

function eachHead({ batch }: Pass, a: Attention, visit: (head: Head) => void): void {
  const { heads } = a.layer;
  for (let i = 0; i < batch * heads; i++) {
    const [example, head] = [Math.floor(i / heads), i % heads];
    visit({
      qkv: example * a.length * 3 * a.width + head * a.headWidth, weights: i * a.length * a.length,
      mixed: example * a.length * a.width + head * a.headWidth,
    });
  }
}

function mix({ workspace: { kernels } }: Pass, a: Attention, head: Head): void {
  const { length, width, headWidth } = a;
  const [q, weights] = [a.qkv + head.qkv, a.weights + head.weights];
  kernels.gemmNT(length, length, headWidth, 1 / Math.sqrt(headWidth), q, 3 * width, q + width, 3 * width, 0, weights, length);
  kernels.softmaxRows(length, length, a.layer.causal ? 1 : 0, weights);
  kernels.gemmNN(length, headWidth, length, 1, weights, length, q + 2 * width, 3 * width, 0, a.mixed + head.mixed, width);
}

type HeadGradients = { readonly dQkv: number; readonly dMixed: number; readonly dScores: number };

function mixBackward({ workspace: { kernels } }: Pass, a: Attention, head: Head, g: HeadGradients): void {
  const { length, width, headWidth } = a;
  const [q, weights, dq, dMixed] = [a.qkv + head.qkv, a.weights + head.weights, g.dQkv + head.qkv, g.dMixed + head.mixed];
  const scale = 1 / Math.sqrt(headWidth);
  kernels.gemmNT(length, length, headWidth, 1, dMixed, width, q + 2 * width, 3 * width, 0, g.dScores, length);
  kernels.gemmTN(length, headWidth, length, 1, weights, length, dMixed, width, 0, dq + 2 * width, 3 * width);
  kernels.softmaxRowsBackward(length, length, weights, g.dScores);
  kernels.gemmNN(length, headWidth, length, scale, g.dScores, length, q + width, 3 * width, 0, dq, 3 * width);
  kernels.gemmTN(length, headWidth, length, scale, g.dScores, length, q, 3 * width, 0, dq + width, 3 * width);
}
