import fc from "fast-check";
import { expect, test } from "vitest";
import { jsWorkspace } from "../js/js-workspace.ts";
import type { Conv2dLayer, Padding } from "../model.ts";
import type { LayerProgram, Pass, Site } from "../network/program.ts";
import { elementCount, windowAxis } from "../shapes.ts";
import { relativeL2 } from "../test/distance.ts";
import { gridVector } from "../test/models.ts";
import { buildConvolution } from "./convolution.ts";
import { buildWinograd, isWinograd } from "./winograd-convolution.ts";

type Case = { readonly height: number; readonly width: number; readonly channels: number; readonly filters: number; readonly window: number; readonly padding: Padding; readonly batch: number };

const few = fc.integer({ min: 1, max: 3 });
const cases: fc.Arbitrary<Case> = fc.record({
  height: fc.integer({ min: 5, max: 11 }), width: fc.integer({ min: 5, max: 11 }), channels: few, filters: few,
  window: fc.constantFrom(3, 5), padding: fc.constantFrom("same", "valid"), batch: few,
});

/** A convolution alone, in float64: what it gives forward, and both gradients for a random gradient at its output. */
function outcome(build: (layer: Conv2dLayer, site: Site) => LayerProgram, { height, width, channels, filters, window, padding, batch }: Case) {
  const layer: Conv2dLayer = { name: "conv", kind: "conv2d", from: ["input"], filters, window: [window, window], stride: [1, 1], padding };
  const [outputHeight, outputWidth] = [height, width].map((extent) => windowAxis(extent, window, 1, padding).output);
  const [shape, outputShape] = [[height, width, channels], [outputHeight ?? 0, outputWidth ?? 0, filters]];
  let end = 0;
  const keep = (count: number): number => {
    end += count;
    return end - count;
  };
  const tensor = (of: readonly number[]) => ({ shape: of, exampleSize: elementCount(of), value: keep(batch * elementCount(of)), gradient: keep(batch * elementCount(of)) });
  const [x, y] = [tensor(shape), tensor(outputShape)];
  const weightCount = window * window * channels * filters;
  const [parameters, sink] = [keep(weightCount + filters), keep(weightCount + filters)];
  let scratchCount = 0;
  const program = build(layer, {
    name: layer.name, maxBatch: batch, inputs: [x], output: y, keep, scratch: (count) => void (scratchCount = Math.max(scratchCount, count)),
    parameter: (name) => ({ name, layer: layer.name, shape: [], offset: parameters + (name === "bias" ? weightCount : 0), elementCount: 0, start: { kind: "constant", value: 0 } }),
  });
  const workspace = jsWorkspace((count) => new Float64Array(count));
  workspace.reserve(end + scratchCount);
  workspace.numbers.set(gridVector(end + scratchCount, 7));
  workspace.numbers.fill(0, sink, sink + weightCount + filters);
  const pass: Pass = { workspace, batch, scratch: end, random: null, frozen: new Set(), sink: { base: sink - parameters, scale: 0.5, isFused: false } };
  const part = (from: number, count: number) => workspace.numbers.slice(from, from + count);
  program.forward(pass);
  const output = part(y.value, batch * y.exampleSize);
  program.backward(pass);
  return { output, inputGradient: part(x.gradient, batch * x.exampleSize), parameterGradient: part(sink, weightCount + filters) };
}

test("tiles give what unfolded rows give, forward and backward, on ragged pictures and either padding", () => {
  fc.assert(fc.property(cases, (shape) => {
    const [direct, tiled] = [outcome(buildConvolution, shape), outcome(buildWinograd, shape)];
    for (const part of ["output", "inputGradient", "parameterGradient"] as const) expect(relativeL2(tiled[part], direct[part]), part).toBeLessThan(1e-12);
  }), { numRuns: 40 });
});

test("tiles are taken for square windows of 3 and 5 between many channels and filters, and for nothing else", () => {
  const layer: Conv2dLayer = { name: "conv", kind: "conv2d", from: ["input"], filters: 64, window: [5, 5], stride: [1, 1], padding: "same" };
  expect(isWinograd(layer, 32)).toBe(true);
  expect(isWinograd({ ...layer, window: [3, 3] }, 10)).toBe(true);
  expect(isWinograd(layer, 1)).toBe(false);
  expect(isWinograd({ ...layer, window: [3, 5] }, 32)).toBe(false);
  expect(isWinograd({ ...layer, window: [4, 4] }, 32)).toBe(false);
  expect(isWinograd({ ...layer, stride: [1, 2] }, 32)).toBe(false);
});
