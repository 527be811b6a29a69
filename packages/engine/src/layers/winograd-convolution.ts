import type { Tiling } from "../kernels.ts";
import type { Conv2dLayer } from "../model.ts";
import type { LayerProgram, Pass, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient } from "./weight-gradient.ts";
import { windowOf } from "./window.ts";
import { winogradBasis } from "./winograd-basis.ts";

/** Tiles that are in work at once: enough rows for a matrix product, few enough for a second-level cache. */
const tilesGoal = 150;

/** c·f/(c + f) from which on the multiplications saved outweigh the changes of basis, which cost per channel and per filter. */
const channelsMin = 8;

/** Whether `buildWinograd` takes a layer: a square window of 3 or 5, stride 1, and enough channels and filters. */
export function isWinograd({ window, stride, filters }: Conv2dLayer, channels: number): boolean {
  const [height, width] = window;
  return height === width && (height === 3 || height === 5) && stride[0] * stride[1] === 1 && (channels * filters) / (channels + filters) >= channelsMin;
}

type Plan = {
  /** Matrix products: one per number of an input tile. */
  readonly productCount: number;
  readonly channels: number;
  readonly filters: number;
  readonly examplesAtOnce: number;
  readonly tilesPerExample: number;
  /** Tilings of one example's input and output, and of the weights as one tile with channels·filters channels. */
  readonly input: Tiling;
  readonly output: Tiling;
  readonly weights: Tiling;
  /** Bᵀ, B, A, Aᵀ, G, Gᵀ, copied to the scratch area's beginning, and where each begins. */
  readonly matrices: readonly number[];
  readonly offsets: { readonly bt: number; readonly b: number; readonly a: number; readonly at: number; readonly g: number; readonly gt: number };
  /** Offsets in the scratch area: weights, input, output in the basis, and the weights' gradient there. */
  readonly u: number;
  readonly v: number;
  readonly m: number;
  readonly du: number;
};

/**
 * y = x∗W + b with fewer multiplications, all tiles' numbers of one place in one matrix product (Lavin and
 * Gray 2016); x [batch, height, width, channels], W [window, window, channels, filters]. On the CNN of
 * docs/engine.md it takes three quarters of the time of unfolded rows.
 */
export function buildWinograd(layer: Conv2dLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const plan = planOf(layer, site);
  const [weights, bias] = [site.parameter("kernel").offset, site.parameter("bias").offset];
  const positions = y.exampleSize / plan.filters;
  return {
    forward(pass) {
      pass.workspace.kernels.fillRows(pass.batch * positions, plan.filters, bias, y.value);
      begin(pass, plan, weights);
      eachGroup(pass, plan, (group) => {
        forwardGroup(pass, plan, group, x.value, y.value);
      });
    },
    backward(pass) {
      const { workspace: { kernels }, scratch, sink } = pass;
      const dy = gradientOf(y);
      const isTrained = !pass.frozen.has(layer.name);
      begin(pass, plan, weights);
      if (x.gradient !== null) kernels.fill(pass.batch * x.exampleSize, 0, x.gradient);
      eachGroup(pass, plan, (group) => {
        gather(pass, plan.output, plan.offsets.a, group, dy, plan.m);
        if (isTrained) weightsGradient(pass, plan, group, x.value);
        if (x.gradient !== null) inputGradient(pass, plan, group, x.gradient);
      });
      if (!isTrained) return;
      // Into the sink at once: a fused step rounds into the weights once.
      kernels.scatterTiles(scratch + plan.du, sink.base + weights, scratch + plan.offsets.gt, ...plan.weights);
      addBiasGradient(pass, { layer: layer.name, bias, rows: pass.batch * positions, outputs: plan.filters, dy });
    },
  };
}

function planOf(layer: Conv2dLayer, site: Site): Plan {
  const [height, width, channels, window, , , , before, , outputHeight, outputWidth] = windowOf(layer, inputOf(site).shape);
  const { side, output, bt, a, g } = winogradBasis(window);
  const { filters } = layer;
  const [high, wide] = [Math.ceil(outputHeight / output), Math.ceil(outputWidth / output)];
  const tilesPerExample = high * wide;
  const examplesAtOnce = Math.min(site.maxBatch, Math.max(1, Math.floor(tilesGoal / tilesPerExample)));
  const tiles = examplesAtOnce * tilesPerExample;
  const productCount = side ** 2;
  const matrices = [...bt, ...transposed(bt, side), ...a, ...transposed(a, output), ...g, ...transposed(g, window)];
  const [square, tall] = [side * side, side * output];
  const u = Math.ceil(matrices.length / 4) * 4;
  const v = u + productCount * channels * filters;
  const m = v + productCount * tiles * channels;
  const du = m + productCount * tiles * filters;
  site.scratch(du + productCount * channels * filters);
  return {
    productCount, channels, filters, examplesAtOnce, tilesPerExample, u, v, m, du, matrices,
    offsets: { bt: 0, b: square, a: 2 * square, at: 2 * square + tall, g: 2 * (square + tall), gt: 2 * (square + tall) + side * window },
    input: [side, side, height, width, channels, output, before, high, wide, tiles],
    output: [side, output, outputHeight, outputWidth, filters, output, 0, high, wide, tiles],
    weights: [side, window, window, window, channels * filters, window, 0, 1, 1, 1],
  };
}

function transposed(matrix: readonly number[], columns: number): readonly number[] {
  const rows = matrix.length / columns;
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)] ?? 0);
}

/** Puts the matrices and the weights in the basis into the scratch area. */
function begin({ workspace, scratch }: Pass, plan: Plan, weights: number): void {
  workspace.numbers.set(plan.matrices, scratch);
  workspace.kernels.gatherTiles(weights, scratch + plan.u, scratch + plan.offsets.g, ...plan.weights);
}

/** Examples that are in work together. */
type Group = { readonly first: number; readonly count: number };

function eachGroup({ batch }: Pass, { examplesAtOnce }: Plan, visit: (group: Group) => void): void {
  for (let first = 0; first < batch; first += examplesAtOnce) visit({ first, count: Math.min(examplesAtOnce, batch - first) });
}

function forwardGroup(pass: Pass, plan: Plan, group: Group, x: number, y: number): void {
  const { channels, filters } = plan;
  gather(pass, plan.input, plan.offsets.bt, group, x, plan.v);
  eachProduct(pass, plan, ({ u, v, m }) => {
    pass.workspace.kernels.gemmNN(group.count * plan.tilesPerExample, filters, channels, 1, v, channels, u, filters, 0, m, filters);
  });
  scatter(pass, plan.output, plan.offsets.at, group, plan.m, y);
}

/** dU ← dU + VᵀdM, the first group's from zero. */
function weightsGradient(pass: Pass, plan: Plan, group: Group, x: number): void {
  const { channels, filters } = plan;
  gather(pass, plan.input, plan.offsets.bt, group, x, plan.v);
  eachProduct(pass, plan, ({ v, m, du }) => {
    pass.workspace.kernels.gemmTN(channels, filters, group.count * plan.tilesPerExample, pass.sink.scale, v, channels, m, filters, group.first === 0 ? 0 : 1, du, filters);
  });
}

/** dV = dM·Uᵀ, and back from the basis. */
function inputGradient(pass: Pass, plan: Plan, group: Group, dx: number): void {
  const { channels, filters } = plan;
  eachProduct(pass, plan, ({ u, v, m }) => {
    pass.workspace.kernels.gemmNT(group.count * plan.tilesPerExample, channels, filters, 1, m, filters, u, filters, 0, v, channels);
  });
  scatter(pass, plan.input, plan.offsets.b, group, plan.v, dx);
}

/** Every tile of a group's examples, which begin at `from`, in the basis, at `into` of the scratch area. */
function gather({ workspace, scratch }: Pass, tiling: Tiling, matrix: number, group: Group, from: number, into: number): void {
  const [, , height, width, channels, , , high, wide] = tiling;
  for (let i = 0; i < group.count; i++) {
    workspace.kernels.gatherTiles(from + (group.first + i) * height * width * channels, scratch + into + i * high * wide * channels, scratch + matrix, ...tiling);
  }
}

/** Adds every tile of a group, at `from` of the scratch area, to its example, which begin at `into`. */
function scatter({ workspace, scratch }: Pass, tiling: Tiling, matrix: number, group: Group, from: number, into: number): void {
  const [, , height, width, channels, , , high, wide] = tiling;
  for (let i = 0; i < group.count; i++) {
    workspace.kernels.scatterTiles(scratch + from + i * high * wide * channels, into + (group.first + i) * height * width * channels, scratch + matrix, ...tiling);
  }
}

/** Offsets of one product's matrices: U and dU [channels, filters], V [tiles, channels], M [tiles, filters]. */
type Product = { readonly u: number; readonly v: number; readonly m: number; readonly du: number };

function eachProduct({ scratch }: Pass, plan: Plan, visit: (product: Product) => void): void {
  const { channels, filters, examplesAtOnce, tilesPerExample } = plan;
  const tiles = examplesAtOnce * tilesPerExample;
  for (let i = 0; i < plan.productCount; i++) {
    visit({
      u: scratch + plan.u + i * channels * filters, v: scratch + plan.v + i * tiles * channels,
      m: scratch + plan.m + i * tiles * filters, du: scratch + plan.du + i * channels * filters,
    });
  }
}
