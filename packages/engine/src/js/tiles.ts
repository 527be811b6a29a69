import type { TileKernels, Tiling } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

export function tileKernels(m: Numbers): TileKernels {
  return {
    gatherTiles(x, v, matrix, ...tiling) {
      const [p, q, , , channels, , , , , tileStride] = tiling;
      eachTile(x, tiling, (patch, tile, channel) => {
        const values = patch.map((offset) => (offset === null ? 0 : (m[offset] ?? 0)));
        const changed = bothSides((i, j) => m[matrix + i * q + j] ?? 0, p, q, values);
        for (const [i, value] of changed.entries()) m[v + (i * tileStride + tile) * channels + channel] = value;
      });
    },
    scatterTiles(v, x, matrix, ...tiling) {
      const [p, q, , , channels, , , , , tileStride] = tiling;
      eachTile(x, tiling, (patch, tile, channel) => {
        const values = Array.from({ length: p * p }, (_, i) => m[v + (i * tileStride + tile) * channels + channel] ?? 0);
        const changed = bothSides((i, j) => m[matrix + i * p + j] ?? 0, q, p, values);
        for (const [i, offset] of patch.entries()) if (offset !== null) m[offset] = (m[offset] ?? 0) + (changed[i] ?? 0);
      });
    },
  };
}

/** Visits each tile, channel by channel, with the offsets of its q·q numbers; null where they lie outside. */
function eachTile(x: number, tiling: Tiling, visit: (patch: readonly (number | null)[], tile: number, channel: number) => void): void {
  const [, q, height, width, channels, step, before, tilesHigh, tilesWide] = tiling;
  for (let tile = 0; tile < tilesHigh * tilesWide; tile++) {
    const [top, left] = [Math.floor(tile / tilesWide) * step - before, (tile % tilesWide) * step - before];
    const pixels = Array.from({ length: q * q }, (_, i) => {
      const [row, column] = [top + Math.floor(i / q), left + (i % q)];
      return row < 0 || row >= height || column < 0 || column >= width ? null : x + (row * width + column) * channels;
    });
    for (let channel = 0; channel < channels; channel++) visit(pixels.map((pixel) => (pixel === null ? null : pixel + channel)), tile, channel);
  }
}

/** L·X·Lᵀ, [rows, rows]; L [rows, columns], X [columns, columns]. */
function bothSides(l: (i: number, j: number) => number, rows: number, columns: number, x: readonly number[]): readonly number[] {
  const left = Array.from({ length: rows * columns }, (_, i) => sum(columns, (k) => l(Math.floor(i / columns), k) * (x[k * columns + (i % columns)] ?? 0)));
  return Array.from({ length: rows * rows }, (_, i) => sum(columns, (k) => (left[Math.floor(i / rows) * columns + k] ?? 0) * l(i % rows, k)));
}

function sum(count: number, term: (k: number) => number): number {
  let total = 0;
  for (let k = 0; k < count; k++) total += term(k);
  return total;
}
