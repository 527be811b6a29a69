import type { Window } from "../kernels.ts";
import type { Conv1dLayer, Conv2dLayer } from "../model.ts";
import type { LayerProgram, Pass, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient } from "./weight-gradient.ts";
import { windowOf } from "./window.ts";

/** Rows of unfolded input that one matrix product takes: enough to reuse the weights, little enough for the cache. */
const unfoldedRowsGoal = 256;

type Convolution = {
  readonly layer: string;
  readonly window: Window;
  /** Output positions of one example, and numbers under one window. */
  readonly positions: number;
  readonly taps: number;
  readonly filters: number;
  /** Numbers of one example's input. */
  readonly inputSize: number;
  readonly weights: number;
  readonly bias: number;
  readonly examplesAtOnce: number;
};

/**
 * y = unfold(x)·W + b; x [batch, height, width, channels], W [height, width, channels, filters].
 * conv1d is conv2d of height 1. A few examples at a time are unfolded into the scratch area.
 */
export function buildConvolution(layer: Conv1dLayer | Conv2dLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const conv = convolutionOf(layer, site);
  site.scratch(conv.taps * (conv.examplesAtOnce * conv.positions + conv.filters));
  return {
    forward: (pass) => forward(pass, conv, x.value, y.value),
    backward(pass) {
      const dy = gradientOf(y);
      if (x.gradient !== null) inputGradient(pass, conv, dy, x.gradient);
      if (pass.frozen.has(layer.name)) return;
      kernelGradient(pass, conv, x.value, dy);
      addBiasGradient(pass, { layer: layer.name, bias: conv.bias, rows: pass.batch * conv.positions, outputs: conv.filters, dy });
    },
  };
}

function convolutionOf(layer: Conv1dLayer | Conv2dLayer, site: Site): Convolution {
  const x = inputOf(site);
  const window = windowOf(layer, x.shape);
  const [, , channels, windowHeight, windowWidth, , , , , outputHeight, outputWidth] = window;
  const positions = outputHeight * outputWidth;
  return {
    layer: layer.name, window, positions, taps: windowHeight * windowWidth * channels, filters: layer.filters, inputSize: x.exampleSize,
    weights: site.parameter("kernel").offset, bias: site.parameter("bias").offset,
    examplesAtOnce: Math.min(site.maxBatch, Math.max(1, Math.floor(unfoldedRowsGoal / positions))),
  };
}

function forward(pass: Pass, conv: Convolution, x: number, y: number): void {
  const { kernels } = pass.workspace;
  const { positions, taps, filters } = conv;
  kernels.fillRows(pass.batch * positions, filters, conv.bias, y);
  eachGroup(pass, conv, (first, count) => {
    unfoldGroup(pass, conv, x, first, count);
    kernels.gemmNN(count * positions, filters, taps, 1, pass.scratch, taps, conv.weights, filters, 1, y + first * positions * filters, filters);
  });
}

function inputGradient(pass: Pass, conv: Convolution, dy: number, dx: number): void {
  const { kernels } = pass.workspace;
  const { positions, taps, filters } = conv;
  kernels.fill(pass.batch * conv.inputSize, 0, dx);
  eachGroup(pass, conv, (first, count) => {
    kernels.gemmNT(count * positions, taps, filters, 1, dy + first * positions * filters, filters, conv.weights, filters, 0, pass.scratch, taps);
    for (let i = 0; i < count; i++) kernels.foldAdd(pass.scratch + i * positions * taps, dx + (first + i) * conv.inputSize, ...conv.window);
  });
}

/** Summed over the groups apart from the sink: a fused step rounds into the weights once. */
function kernelGradient(pass: Pass, conv: Convolution, x: number, dy: number): void {
  const { kernels } = pass.workspace;
  const { positions, taps, filters } = conv;
  const sum = pass.scratch + conv.examplesAtOnce * positions * taps;
  eachGroup(pass, conv, (first, count) => {
    unfoldGroup(pass, conv, x, first, count);
    kernels.gemmTN(taps, filters, count * positions, 1, pass.scratch, taps, dy + first * positions * filters, filters, first === 0 ? 0 : 1, sum, filters);
  });
  kernels.axpy(taps * filters, pass.sink.scale, sum, pass.sink.base + conv.weights);
}

function unfoldGroup(pass: Pass, conv: Convolution, x: number, first: number, count: number): void {
  for (let i = 0; i < count; i++) {
    pass.workspace.kernels.unfold(x + (first + i) * conv.inputSize, pass.scratch + i * conv.positions * conv.taps, ...conv.window);
  }
}

function eachGroup(pass: Pass, conv: Convolution, visit: (first: number, count: number) => void): void {
  for (let first = 0; first < pass.batch; first += conv.examplesAtOnce) visit(first, Math.min(conv.examplesAtOnce, pass.batch - first));
}
