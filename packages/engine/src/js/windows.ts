import type { Window, WindowKernels } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

/** Sliding windows over one example, channels last. */
export function windowKernels(m: Numbers): WindowKernels {
  return {
    unfold(x, columns, ...window) {
      const channels = window[2];
      m.fill(0, columns, columns + window[9] * window[10] * window[3] * window[4] * channels);
      eachTap(window, (source, output, tap, taps) => {
        m.copyWithin(columns + (output * taps + tap) * channels, x + source * channels, x + (source + 1) * channels);
      });
    },
    foldAdd(columns, dx, ...window) {
      const channels = window[2];
      eachTap(window, (source, output, tap, taps) => addTo(m, channels, 1, columns + (output * taps + tap) * channels, dx + source * channels));
    },
    maxPool(x, y, ...window) {
      const channels = window[2];
      m.fill(Number.NEGATIVE_INFINITY, y, y + window[9] * window[10] * channels);
      eachTap(window, (source, output) => {
        for (let c = 0; c < channels; c++) {
          const value = m[x + source * channels + c] ?? 0;
          // A NaN stays: nothing is greater than it.
          if (value > (m[y + output * channels + c] ?? 0) || Number.isNaN(value)) m[y + output * channels + c] = value;
        }
      });
    },
    maxPoolBackward: (x, y, dy, dx, ...window) => maxPoolBackward(m, { x, y, dy, dx }, window),
    averagePool(x, y, ...window) {
      const channels = window[2];
      const counts = tapCounts(window);
      m.fill(0, y, y + window[9] * window[10] * channels);
      eachTap(window, (source, output) => addTo(m, channels, 1 / (counts[output] ?? 1), x + source * channels, y + output * channels));
    },
    averagePoolBackward(dy, dx, ...window) {
      const channels = window[2];
      const counts = tapCounts(window);
      eachTap(window, (source, output) => addTo(m, channels, 1 / (counts[output] ?? 1), dy + output * channels, dx + source * channels));
    },
    depthwise(x, w, y, ...window) {
      const channels = window[2];
      eachTap(window, (source, output, tap) => addProduct(m, channels, x + source * channels, w + tap * channels, y + output * channels));
    },
    depthwiseInput(dy, w, dx, ...window) {
      const channels = window[2];
      eachTap(window, (source, output, tap) => addProduct(m, channels, dy + output * channels, w + tap * channels, dx + source * channels));
    },
    depthwiseKernel(x, dy, dw, ...window) {
      const channels = window[2];
      eachTap(window, (source, output, tap) => addProduct(m, channels, x + source * channels, dy + output * channels, dw + tap * channels));
    },
  };
}

function maxPoolBackward(m: Numbers, at: { readonly x: number; readonly y: number; readonly dy: number; readonly dx: number }, window: Window): void {
  const channels = window[2];
  const taken = new Uint8Array(window[9] * window[10] * channels);
  eachTap(window, (source, output) => {
    for (let c = 0; c < channels; c++) {
      const from = output * channels + c;
      const to = source * channels + c;
      if (taken[from] === 1 || m[at.x + to] !== m[at.y + from]) continue;
      taken[from] = 1;
      m[at.dx + to] = (m[at.dx + to] ?? 0) + (m[at.dy + from] ?? 0);
    }
  });
}

function addTo(m: Numbers, count: number, factor: number, x: number, y: number): void {
  for (let i = 0; i < count; i++) m[y + i] = (m[y + i] ?? 0) + factor * (m[x + i] ?? 0);
}

function addProduct(m: Numbers, count: number, x: number, z: number, y: number): void {
  for (let i = 0; i < count; i++) m[y + i] = (m[y + i] ?? 0) + (m[x + i] ?? 0) * (m[z + i] ?? 0);
}

/** Positions under each output's window that are no padding. */
function tapCounts(window: Window): Uint32Array {
  const counts = new Uint32Array(window[9] * window[10]);
  eachTap(window, (_, output) => {
    counts[output] = (counts[output] ?? 0) + 1;
  });
  return counts;
}

/** Visits (source position, output position, place in the window) in reading order, padding left out. */
function eachTap(window: Window, visit: (source: number, output: number, tap: number, taps: number) => void): void {
  const [height, width, , windowHeight, windowWidth, strideHeight, strideWidth, top, left, outputHeight, outputWidth] = window;
  for (let output = 0; output < outputHeight * outputWidth; output++) {
    const y = Math.floor(output / outputWidth) * strideHeight - top;
    const x = (output % outputWidth) * strideWidth - left;
    for (let tap = 0; tap < windowHeight * windowWidth; tap++) {
      const row = y + Math.floor(tap / windowWidth);
      const column = x + (tap % windowWidth);
      if (row >= 0 && row < height && column >= 0 && column < width) visit(row * width + column, output, tap, windowHeight * windowWidth);
    }
  }
}
