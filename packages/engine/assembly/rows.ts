import { exponentials, greatest, scaleAll } from "./losses";
import { at, loadUpTo4, madd, splat, storeUpTo4, sumLanes } from "./vectors";

export function gatherRows(rows: i32, n: i32, table: i32, ids: i32, y: i32): void {
  for (let r = 0; r < rows; r++) memory.copy(at(y + r * n), at(table + i32(load<f32>(at(ids + r))) * n), <usize>n << 2);
}

export function scatterAddRows(rows: i32, n: i32, alpha: f32, dy: i32, ids: i32, table: i32): void {
  const a = splat(alpha);
  for (let r = 0; r < rows; r++) {
    let p = at(dy + r * n), q = at(table + i32(load<f32>(at(ids + r))) * n);
    for (let count = n; count > 0; count -= 4, p += 16, q += 16) storeUpTo4(q, madd(a, loadUpTo4(p, count), loadUpTo4(q, count)), count);
  }
}

export function multiplyRows(rows: i32, n: i32, x: i32, z: i32, y: i32): void {
  for (let r = 0; r < rows; r++) {
    let p = at(x + r * n), s = at(z), q = at(y + r * n);
    for (let count = n; count > 0; count -= 4, p += 16, s += 16, q += 16) storeUpTo4(q, f32x4.mul(loadUpTo4(p, count), v128.load(s)), count);
  }
}

export function scaleShiftRows(rows: i32, n: i32, x: i32, factors: i32, shift: i32, y: i32): void {
  for (let r = 0; r < rows; r++) {
    let p = at(x + r * n), s = at(factors), t = at(shift), q = at(y + r * n);
    for (let count = n; count > 0; count -= 4, p += 16, s += 16, t += 16, q += 16) {
      storeUpTo4(q, madd(loadUpTo4(p, count), v128.load(s), v128.load(t)), count);
    }
  }
}

export function addColumnProducts(rows: i32, n: i32, alpha: f32, x: i32, z: i32, out: i32): void {
  const a = splat(alpha);
  for (let j = 0; j < n; j += 4) {
    let sum = splat(0);
    let p = at(x + j), s = at(z + j);
    const q = at(out + j);
    for (let r = 0; r < rows; r++, p += <usize>n << 2, s += <usize>n << 2) sum = madd(v128.load(p), v128.load(s), sum);
    storeUpTo4(q, madd(a, sum, loadUpTo4(q, n - j)), n - j);
  }
}

export function softmaxRows(rows: i32, n: i32, isCausal: i32, x: i32): void {
  for (let r = 0; r < rows; r++, x += n) {
    const seenCount = isCausal ? min(n, r + 1) : n;
    const p = at(x);
    scaleAll(seenCount, p, 1 / exponentials(seenCount, p, greatest(seenCount, p), p));
    memory.fill(p + (<usize>seenCount << 2), 0, <usize>(n - seenCount) << 2);
  }
}

export function softmaxRowsBackward(rows: i32, n: i32, y: i32, dy: i32): void {
  for (let r = 0; r < rows; r++, y += n, dy += n) {
    const sum = splat(dot(n, at(y), at(dy)));
    let p = at(y), q = at(dy);
    for (let count = n; count > 0; count -= 4, p += 16, q += 16) storeUpTo4(q, f32x4.mul(loadUpTo4(p, count), f32x4.sub(loadUpTo4(q, count), sum)), count);
  }
}

/** Σ p·q, the ragged end as zeros. */
export function dot(n: i32, p: usize, q: usize): f32 {
  let sum = splat(0);
  for (; n > 0; n -= 4, p += 16, q += 16) sum = madd(loadUpTo4(p, n), loadUpTo4(q, n), sum);
  return sumLanes(sum);
}
