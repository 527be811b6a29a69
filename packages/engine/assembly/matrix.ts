import { innerx2, outerx4, outerx8, TILE_ROWS } from "../build/micro-kernels";
import { at } from "./vectors";

/** One block of k: a tile's sums are rounded into C once per block. */
const KC: i32 = 384;
/** Columns of one packed block of B, rows of one of A: both stay in a 2 MB second-level cache. */
const NC: i32 = 256;
const MC: i32 = 96;
const PACKED_A: usize = 4096;
const PACKED_B: usize = PACKED_A + (MC + TILE_ROWS) * KC * 4;
/** A tile that overhangs C's right edge is computed here. */
const TILE: usize = PACKED_B + KC * (NC + 8) * 4;

/** Below this many rows packing B costs more than it saves, unless its rows alias the cache's sets. */
const PACK_ROWS: i32 = 24;

export function gemmNN(m: i32, n: i32, k: i32, alpha: f32, a: i32, lda: i32, b: i32, ldb: i32, beta: i32, c: i32, ldc: i32): void {
  const isPacked = m > PACK_ROWS || (m > 4 && aliases(ldb) && k > 64);
  blocks(m, n, k, alpha, at(a), 4 * lda, 4, at(b), 4 * ldb, 4, isPacked, beta, at(c), 4 * ldc);
}

export function gemmTN(m: i32, n: i32, k: i32, alpha: f32, a: i32, lda: i32, b: i32, ldb: i32, beta: i32, c: i32, ldc: i32): void {
  const isPacked = m > PACK_ROWS && k > 16;
  blocks(m, n, k, alpha, at(a), 4, 4 * lda, at(b), 4 * ldb, 4, isPacked, beta, at(c), 4 * ldc);
}

export function gemmNT(m: i32, n: i32, k: i32, alpha: f32, a: i32, lda: i32, b: i32, ldb: i32, beta: i32, c: i32, ldc: i32): void {
  if (m > PACK_ROWS || k < 8) blocks(m, n, k, alpha, at(a), 4 * lda, 4, at(b), 4, 4 * ldb, true, beta, at(c), 4 * ldc);
  else rowProducts(m, n, k, alpha, at(a), 4 * lda, at(b), 4 * ldb, beta, at(c), 4 * ldc);
}

/** B [k, n] as panels of eight columns, [n/8][k][8], zeros behind the last column. */
export function packWeights(k: i32, n: i32, b: i32, ldb: i32, packed: i32): void {
  packB(n, k, at(b), 4 * ldb, 4, at(packed));
}

/** gemmNN with B from `packWeights`. */
export function gemmPacked(m: i32, n: i32, k: i32, alpha: f32, a: i32, lda: i32, packed: i32, beta: i32, c: i32, ldc: i32): void {
  for (let p = 0; p < k; p += KC) {
    const kc = min(KC, k - p);
    for (let i = 0; i < m; i += MC) {
      const mc = min(MC, m - i);
      packA(mc, kc, at(a) + 4 * (i * lda + p), 4 * lda, 4, PACKED_A);
      panels(mc, n, kc, alpha, at(packed) + 32 * p, 32, 32 * k, beta | i32(p > 0), at(c) + 4 * i * ldc, 4 * ldc);
    }
  }
}

/** Rows whose distance is a multiple of 2 KB fall into few sets of a first-level cache. */
@inline
function aliases(stride: i32): bool {
  return (stride & 511) == 0;
}

/** C ← α·A·B + β·C, blocked; strides in bytes: A [aRow, aColumn], B [bRow, bColumn]. */
function blocks(m: i32, n: i32, k: i32, alpha: f32, a: usize, aRow: i32, aColumn: i32, b: usize, bRow: i32, bColumn: i32, isPacked: bool, beta: i32, c: usize, cStep: i32): void {
  if (k == 0 && beta == 0) clear(m, n, c, cStep);
  for (let p = 0; p < k; p += KC) {
    const kc = min(KC, k - p);
    const next = beta | i32(p > 0);
    for (let j = 0; j < n; j += NC) {
      const nc = min(NC, n - j);
      const block = b + p * bRow + j * bColumn;
      if (isPacked) packB(nc, kc, block, bRow, bColumn, PACKED_B);
      for (let i = 0; i < m; i += MC) {
        const mc = min(MC, m - i);
        packA(mc, kc, a + i * aRow + p * aColumn, aRow, aColumn, PACKED_A);
        const corner = c + i * cStep + 4 * j;
        if (isPacked) panels(mc, nc, kc, alpha, PACKED_B, 32, 32 * kc, next, corner, cStep);
        else panels(mc, nc, kc, alpha, block, bRow, 32, next, corner, cStep);
      }
    }
  }
}

function clear(m: i32, n: i32, c: usize, cStep: i32): void {
  for (let i = 0; i < m; i++) memory.fill(c + i * cStep, 0, 4 * n);
}

/** Rows of panel number `panel` of m rows cut into as few panels as can be, alike in size. */
@inline
function panelStart(m: i32, panel: i32, count: i32): i32 {
  return (m * panel) / count;
}

@inline
function panelCount(m: i32): i32 {
  return (m + TILE_ROWS - 1) / TILE_ROWS;
}

/** Numbers of B that a first-level cache holds beside a panel of A and what it writes of C. */
const B_NEAR: i32 = 6144;

/**
 * A's panels times B's strips of eight columns, `bPanel` bytes apart. What is used most stays near: one
 * strip for all panels, or, where all of B is small, one panel for all strips, so that C's rows are
 * written from end to end.
 */
function panels(m: i32, n: i32, k: i32, alpha: f32, b: usize, bStep: i32, bPanel: i32, beta: i32, c: usize, cStep: i32): void {
  const count = panelCount(m);
  if (k * n <= B_NEAR) {
    for (let panel = 0; panel < count; panel++) strips(m, n, k, alpha, b, bStep, bPanel, beta, c, cStep, panel, panel + 1);
    return;
  }
  for (let j = 0; j < n; j += 8, b += bPanel) strips(m, min(8, n - j), k, alpha, b, bStep, bPanel, beta, c + 4 * j, cStep, 0, count);
}

/** Panels [from, to) times all strips of n columns. */
function strips(m: i32, n: i32, k: i32, alpha: f32, b: usize, bStep: i32, bPanel: i32, beta: i32, c: usize, cStep: i32, from: i32, to: i32): void {
  const count = panelCount(m);
  for (let columns = n; columns > 0; columns -= 8, b += bPanel, c += 32) {
    for (let panel = from; panel < to; panel++) {
      const first = panelStart(m, panel, count);
      const rows = panelStart(m, panel + 1, count) - first;
      const a = PACKED_A + 4 * first * k;
      const corner = c + first * cStep;
      if (columns >= 8) outerx8(rows, k, alpha, a, 4 * rows, b, bStep, beta, corner, cStep);
      else if (columns == 4) outerx4(rows, k, alpha, a, 4 * rows, b, bStep, beta, corner, cStep);
      else {
        if (columns < 4) outerx4(rows, k, alpha, a, 4 * rows, b, bStep, 0, TILE, 32);
        else outerx8(rows, k, alpha, a, 4 * rows, b, bStep, 0, TILE, 32);
        addTile(rows, columns, beta, corner, cStep);
      }
    }
  }
}

function addTile(rows: i32, columns: i32, beta: i32, c: usize, cStep: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = load<f32>(TILE + 32 * i + 4 * j);
      const target = c + i * cStep + 4 * j;
      store<f32>(target, beta ? load<f32>(target) + value : value);
    }
  }
}

/** A as panels of up to six rows, each [k][rows]. */
function packA(m: i32, k: i32, a: usize, aRow: i32, aColumn: i32, packed: usize): void {
  const count = panelCount(m);
  for (let panel = 0; panel < count; panel++) {
    const first = panelStart(m, panel, count);
    const rows = panelStart(m, panel + 1, count) - first;
    const source = a + first * aRow;
    const step = 4 * rows;
    if (aRow == 4) packColumns(rows, k, source, aColumn, packed);
    else {
      let i = 0;
      for (; i + 4 <= rows; i += 4) packFour(k, source + i * aRow, aRow, aColumn, packed + 4 * i, step);
      for (; i < rows; i++) packOne(k, source + i * aRow, aColumn, packed + 4 * i, step);
    }
    packed += step * k;
  }
}

/** `rows` neighbours from each of k rows; writes up to two numbers too many, which the next row overwrites. */
function packColumns(rows: i32, k: i32, source: usize, step: i32, packed: usize): void {
  for (; k > 0; k--) {
    v128.store(packed, v128.load(source));
    if (rows > 4) v128.store64_lane(packed, v128.load64_zero(source, 16), 0, 16);
    packed += 4 * rows;
    source += step;
  }
}

/** Four rows, four numbers at a time, transposed. */
function packFour(k: i32, source: usize, row: i32, column: i32, packed: usize, step: i32): void {
  if (column == 4) {
    for (; k >= 4; k -= 4) {
      const x0 = v128.load(source), x1 = v128.load(source + row), x2 = v128.load(source + 2 * row), x3 = v128.load(source + 3 * row);
      const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5), high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
      const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5), high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
      v128.store(packed, i64x2.shuffle(low01, low23, 0, 2));
      v128.store(packed + step, i64x2.shuffle(low01, low23, 1, 3));
      v128.store(packed + 2 * step, i64x2.shuffle(high01, high23, 0, 2));
      v128.store(packed + 3 * step, i64x2.shuffle(high01, high23, 1, 3));
      source += 16;
      packed += 4 * step;
    }
  }
  for (; k > 0; k--) {
    store<f32>(packed, load<f32>(source));
    store<f32>(packed, load<f32>(source + row), 4);
    store<f32>(packed, load<f32>(source + 2 * row), 8);
    store<f32>(packed, load<f32>(source + 3 * row), 12);
    source += column;
    packed += step;
  }
}

function packOne(k: i32, source: usize, column: i32, packed: usize, step: i32): void {
  for (; k > 0; k--) {
    store<f32>(packed, load<f32>(source));
    source += column;
    packed += step;
  }
}

/** B as strips of eight columns, each [k][8], zeros behind the last column. */
function packB(n: i32, k: i32, b: usize, row: i32, column: i32, packed: usize): void {
  for (let j = 0; j < n; j += 8) {
    const columns = min(8, n - j);
    const source = b + j * column;
    if (columns == 8 && column == 4) copyStrip(k, source, row, packed);
    else if (columns == 8) {
      packFour(k, source, column, row, packed, 32);
      packFour(k, source + 4 * column, column, row, packed + 16, 32);
    } else {
      memory.fill(packed, 0, 32 * k);
      for (let i = 0; i < columns; i++) packOne(k, source + i * column, row, packed + 4 * i, 32);
    }
    packed += 32 * k;
  }
}

function copyStrip(k: i32, source: usize, row: i32, packed: usize): void {
  for (; k > 0; k--) {
    v128.store(packed, v128.load(source));
    v128.store(packed, v128.load(source, 16), 16);
    source += row;
    packed += 32;
  }
}

/** C ← α·A·Bᵀ + β·C for few rows of A, both read along k: nothing of B is packed. */
function rowProducts(m: i32, n: i32, k: i32, alpha: f32, a: usize, aStep: i32, b: usize, bStep: i32, beta: i32, c: usize, cStep: i32): void {
  const fours = k >> 2;
  const block = min(fours, MC * KC / 4 / m);
  for (let done = 0; done < fours; done += block) {
    const length = min(block, fours - done);
    packRows(m, length, a + 16 * done, aStep);
    rowTiles(m, n, length, alpha, b + 16 * done, bStep, beta | i32(done > 0), c, cStep);
  }
  if (k & 3) addTails(m, n, k & 3, alpha, a + 16 * fours, aStep, b + 16 * fours, bStep, c, cStep);
}

/** A's panels as [k/4][rows][4]. */
function packRows(m: i32, fours: i32, a: usize, aStep: i32): void {
  const count = panelCount(m);
  let packed = PACKED_A;
  for (let panel = 0; panel < count; panel++) {
    const first = panelStart(m, panel, count);
    const last = panelStart(m, panel + 1, count);
    for (let p = 0; p < fours; p++) {
      for (let i = first; i < last; i++) {
        v128.store(packed, v128.load(a + i * aStep + 16 * p));
        packed += 16;
      }
    }
  }
}

function rowTiles(m: i32, n: i32, fours: i32, alpha: f32, b: usize, bStep: i32, beta: i32, c: usize, cStep: i32): void {
  const count = panelCount(m);
  for (let j = 0; j < n; j += 2) {
    const isPair = j + 1 < n;
    const row = b + j * bStep;
    for (let panel = 0; panel < count; panel++) {
      const first = panelStart(m, panel, count);
      const rows = panelStart(m, panel + 1, count) - first;
      const corner = c + first * cStep + 4 * j;
      if (isPair) innerx2(rows, fours, alpha, PACKED_A + 16 * first * fours, row, row + bStep, beta, corner, cStep);
      else {
        innerx2(rows, fours, alpha, PACKED_A + 16 * first * fours, row, row, 0, TILE, 32);
        addTile(rows, 1, beta, corner, cStep);
      }
    }
  }
}

/** The last one to three of k, which fill no vector. */
function addTails(m: i32, n: i32, k: i32, alpha: f32, a: usize, aStep: i32, b: usize, bStep: i32, c: usize, cStep: i32): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum: f32 = 0;
      for (let p = 0; p < k; p++) sum += load<f32>(a + i * aStep + 4 * p) * load<f32>(b + j * bStep + 4 * p);
      const target = c + i * cStep + 4 * j;
      store<f32>(target, load<f32>(target) + alpha * sum);
    }
  }
}
