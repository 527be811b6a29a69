import { at, loadUpTo4, madd, splat, storeUpTo4 } from "./vectors";

/** A tile of up to 8 x 8 vectors of four channels, its rows eight apart, and the same again; the packed panels are not in use meanwhile. */
const TILE: usize = 4096;
const TURNED: usize = TILE + 1024;

/**
 * turned [columns, p] ← (L·tile)ᵀ; L [p, q] at `matrix`, row-major. `q` is a constant of each call, so
 * that a column's numbers stay in registers: as a loop over q it took twice the time.
 */
@inline
function turnBy(q: i32, p: i32, columns: i32, matrix: usize, tile: usize, turned: usize): void {
  for (let j = 0; j < columns; j += 2, tile += 32, turned += 256) {
    const x0 = v128.load(tile), x1 = v128.load(tile, 128), y0 = v128.load(tile, 16), y1 = v128.load(tile, 144);
    let x2 = x0, x3 = x0, x4 = x0, x5 = x0, y2 = y0, y3 = y0, y4 = y0, y5 = y0;
    if (q > 2) { x2 = v128.load(tile, 256); y2 = v128.load(tile, 272); }
    if (q > 3) { x3 = v128.load(tile, 384); y3 = v128.load(tile, 400); }
    if (q > 4) { x4 = v128.load(tile, 512); y4 = v128.load(tile, 528); }
    if (q > 5) { x5 = v128.load(tile, 640); y5 = v128.load(tile, 656); }
    let l = matrix, target = turned;
    for (let i = 0; i < p; i++, l += 4 * q, target += 16) {
      let factor = v128.load32_splat(l), s = f32x4.mul(factor, x0), t = f32x4.mul(factor, y0);
      factor = v128.load32_splat(l, 4); s = madd(factor, x1, s); t = madd(factor, y1, t);
      if (q > 2) { factor = v128.load32_splat(l, 8); s = madd(factor, x2, s); t = madd(factor, y2, t); }
      if (q > 3) { factor = v128.load32_splat(l, 12); s = madd(factor, x3, s); t = madd(factor, y3, t); }
      if (q > 4) { factor = v128.load32_splat(l, 16); s = madd(factor, x4, s); t = madd(factor, y4, t); }
      if (q > 5) { factor = v128.load32_splat(l, 20); s = madd(factor, x5, s); t = madd(factor, y5, t); }
      v128.store(target, s);
      v128.store(target, t, 128);
    }
  }
}

function turn(q: i32, p: i32, columns: i32, matrix: usize, tile: usize, turned: usize): void {
  if (q == 6) turnBy(6, p, columns, matrix, tile, turned);
  else if (q == 5) turnBy(5, p, columns, matrix, tile, turned);
  else if (q == 4) turnBy(4, p, columns, matrix, tile, turned);
  else if (q == 3) turnBy(3, p, columns, matrix, tile, turned);
  else turnBy(2, p, columns, matrix, tile, turned);
}

export function gatherTiles(x: i32, v: i32, matrix: i32, p: i32, q: i32, height: i32, width: i32, channels: i32, step: i32, before: i32, tilesHigh: i32, tilesWide: i32, tileStride: i32): void {
  const plane = <usize>(tileStride * channels) << 2;
  for (let ty = 0; ty < tilesHigh; ty++) {
    const top = ty * step - before, fromRow = max(0, -top), toRow = min(q, height - top);
    for (let tx = 0; tx < tilesWide; tx++, v += channels) {
      const left = tx * step - before, fromColumn = max(0, -left), toColumn = min(q, width - left);
      const isWhole = toRow - fromRow == q && toColumn - fromColumn == q;
      for (let c = 0; c < channels; c += 4) {
        if (!isWhole) memory.fill(TILE, 0, 1024);
        for (let r = fromRow; r < toRow; r++) {
          let source = at(x + ((top + r) * width + left + fromColumn) * channels + c), target = TILE + (r << 7) + (fromColumn << 4);
          for (let s = fromColumn; s < toColumn; s++, source += <usize>channels << 2, target += 16) v128.store(target, loadUpTo4(source, channels - c));
        }
        turn(q, p, q, at(matrix), TILE, TURNED);
        turn(q, p, p, at(matrix), TURNED, TILE);
        let target = at(v + c);
        for (let i = 0; i < p; i++) {
          for (let j = 0; j < p; j++, target += plane) storeUpTo4(target, v128.load(TILE + (i << 7) + (j << 4)), channels - c);
        }
      }
    }
  }
}

export function scatterTiles(v: i32, x: i32, matrix: i32, p: i32, q: i32, height: i32, width: i32, channels: i32, step: i32, before: i32, tilesHigh: i32, tilesWide: i32, tileStride: i32): void {
  const plane = <usize>(tileStride * channels) << 2;
  for (let ty = 0; ty < tilesHigh; ty++) {
    const top = ty * step - before, fromRow = max(0, -top), toRow = min(q, height - top);
    for (let tx = 0; tx < tilesWide; tx++, v += channels) {
      const left = tx * step - before, fromColumn = max(0, -left), toColumn = min(q, width - left);
      for (let c = 0; c < channels; c += 4) {
        let source = at(v + c);
        for (let i = 0; i < p; i++) {
          for (let j = 0; j < p; j++, source += plane) v128.store(TILE + (i << 7) + (j << 4), loadUpTo4(source, channels - c));
        }
        turn(p, q, p, at(matrix), TILE, TURNED);
        turn(p, q, q, at(matrix), TURNED, TILE);
        for (let r = fromRow; r < toRow; r++) {
          let target = at(x + ((top + r) * width + left + fromColumn) * channels + c), from = TILE + (r << 7) + (fromColumn << 4);
          for (let s = fromColumn; s < toColumn; s++, target += <usize>channels << 2, from += 16) storeUpTo4(target, f32x4.add(loadUpTo4(target, channels - c), v128.load(from)), channels - c);
        }
      }
    }
  }
}
