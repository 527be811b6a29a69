import type { Window } from "../kernels.ts";
import type { Pair, Padding, Shape } from "../model.ts";
import { windowAxis } from "../shapes.ts";

type Sliding = { readonly window: number | readonly number[]; readonly stride: number | readonly number[]; readonly padding: Padding };

/** The window of a layer over [length, channels] or [height, width, channels]; one axis is a picture of height 1. */
export function windowOf(layer: Sliding, input: Shape): Window {
  const [windowHeight, windowWidth] = asPair(layer.window);
  const [strideHeight, strideWidth] = asPair(layer.stride);
  const [height, width] = input.length === 2 ? [1, input[0] ?? 0] : [input[0] ?? 0, input[1] ?? 0];
  const vertical = windowAxis(height, windowHeight, strideHeight, layer.padding);
  const horizontal = windowAxis(width, windowWidth, strideWidth, layer.padding);
  return [
    height, width, input.at(-1) ?? 0, windowHeight, windowWidth, strideHeight, strideWidth,
    vertical.before, horizontal.before, vertical.output, horizontal.output,
  ];
}

/** The window that holds a whole example: all positions, however many axes they have. */
export function wholeWindow(input: Shape): Window {
  const channels = input.at(-1) ?? 0;
  const positions = input.slice(0, -1).reduce((product, extent) => product * extent, 1);
  return [1, positions, channels, 1, positions, 1, 1, 0, 0, 1, 1];
}

function asPair(extent: number | readonly number[]): Pair {
  if (typeof extent === "number") return [1, extent];
  const [first = 1, second] = extent;
  return second === undefined ? [1, first] : [first, second];
}
