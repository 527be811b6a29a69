import { exp4, sigmoid4, tanh4 } from "./functions";
import { at, loadPart, madd, splat, storePart } from "./vectors";

export function fill(count: i32, value: f32, y: i32): void {
  const x = splat(value);
  let q = at(y);
  for (; count >= 4; count -= 4, q += 16) v128.store(q, x);
  for (; count > 0; count--, q += 4) store<f32>(q, value);
}

export function copy(count: i32, x: i32, y: i32): void {
  memory.copy(at(y), at(x), <usize>count << 2);
}

export function copyRows(rows: i32, n: i32, x: i32, ldx: i32, y: i32, ldy: i32): void {
  for (let r = 0; r < rows; r++) copy(n, x + r * ldx, y + r * ldy);
}

export function axpy(count: i32, alpha: f32, x: i32, y: i32): void {
  const a = splat(alpha);
  let p = at(x), q = at(y);
  for (; count >= 4; count -= 4, p += 16, q += 16) v128.store(q, madd(a, v128.load(p), v128.load(q)));
  if (count > 0) storePart(q, madd(a, loadPart(p, count), loadPart(q, count)), count);
}

export function scale(count: i32, alpha: f32, x: i32): void {
  const a = splat(alpha);
  let p = at(x);
  for (; count >= 4; count -= 4, p += 16) v128.store(p, f32x4.mul(a, v128.load(p)));
  if (count > 0) storePart(p, f32x4.mul(a, loadPart(p, count)), count);
}

export function multiply(count: i32, x: i32, z: i32, y: i32): void {
  let p = at(x), r = at(z), q = at(y);
  for (; count >= 4; count -= 4, p += 16, r += 16, q += 16) v128.store(q, f32x4.mul(v128.load(p), v128.load(r)));
  if (count > 0) storePart(q, f32x4.mul(loadPart(p, count), loadPart(r, count)), count);
}

/** In float64: a norm over millions of numbers. */
export function sumOfSquares(count: i32, x: i32): f64 {
  let even = f64x2.splat(0), odd = f64x2.splat(0);
  let p = at(x);
  for (; count >= 4; count -= 4, p += 16) {
    const four = v128.load(p);
    const low = f64x2.promote_low_f32x4(four), high = f64x2.promote_low_f32x4(i64x2.shuffle(four, four, 1, 1));
    even = f64x2.add(even, f64x2.mul(low, low));
    odd = f64x2.add(odd, f64x2.mul(high, high));
  }
  const both = f64x2.add(even, odd);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; count > 0; count--, p += 4) sum += f64(load<f32>(p)) * f64(load<f32>(p));
  return sum;
}

export function fillRows(rows: i32, n: i32, bias: i32, y: i32): void {
  for (let r = 0; r < rows; r++) copy(n, bias, y + r * n);
}

/** Sixteen columns at a time, one line of the cache: four at a time read every line four times. */
export function addColumnSums(rows: i32, n: i32, alpha: f32, x: i32, out: i32): void {
  const a = splat(alpha);
  let j = 0;
  for (; j + 16 <= n; j += 16) {
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    let p = at(x + j);
    const q = at(out + j);
    for (let r = 0; r < rows; r++, p += <usize>n << 2) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
    }
    v128.store(q, madd(a, s0, v128.load(q)));
    v128.store(q, madd(a, s1, v128.load(q, 16)), 16);
    v128.store(q, madd(a, s2, v128.load(q, 32)), 32);
    v128.store(q, madd(a, s3, v128.load(q, 48)), 48);
  }
  for (; j < n; j += 4) {
    let sum = splat(0);
    let p = at(x + j);
    const q = at(out + j);
    for (let r = 0; r < rows; r++, p += <usize>n << 2) sum = f32x4.add(sum, v128.load(p));
    if (n - j >= 4) v128.store(q, madd(a, sum, v128.load(q)));
    else storePart(q, madd(a, sum, loadPart(q, n - j)), n - j);
  }
}

const RELU: i32 = 0;
const GELU: i32 = 1;
const TANH: i32 = 2;
const SIGMOID: i32 = 3;

@inline
function geluTanh(x: v128): v128 {
  return tanh4(f32x4.mul(splat(0.7978845608), madd(f32x4.mul(splat(0.044715), f32x4.mul(x, x)), x, x)));
}

function value4(kind: i32, x: v128): v128 {
  if (kind == GELU) return f32x4.mul(f32x4.mul(splat(0.5), x), f32x4.add(splat(1), geluTanh(x)));
  if (kind == TANH) return tanh4(x);
  if (kind == SIGMOID) return sigmoid4(x);
  return f32x4.mul(x, sigmoid4(x));
}

function slope4(kind: i32, x: v128, y: v128): v128 {
  const one = splat(1);
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(y, y));
  if (kind == SIGMOID) return f32x4.mul(y, f32x4.sub(one, y));
  if (kind == GELU) {
    const t = geluTanh(x);
    const bend = f32x4.mul(f32x4.mul(x, splat(0.5 * 0.7978845608)), madd(splat(3 * 0.044715), f32x4.mul(x, x), one));
    return madd(f32x4.sub(one, f32x4.mul(t, t)), bend, f32x4.mul(splat(0.5), f32x4.add(one, t)));
  }
  const s = sigmoid4(x);
  return f32x4.mul(s, madd(x, f32x4.sub(one, s), one));
}

export function activate(kind: i32, count: i32, x: i32, y: i32): void {
  let p = at(x), q = at(y);
  if (kind == RELU) {
    const zero = splat(0);
    for (; count >= 4; count -= 4, p += 16, q += 16) v128.store(q, f32x4.max(zero, v128.load(p)));
    if (count > 0) storePart(q, f32x4.max(zero, loadPart(p, count)), count);
    return;
  }
  for (; count >= 4; count -= 4, p += 16, q += 16) v128.store(q, value4(kind, v128.load(p)));
  if (count > 0) storePart(q, value4(kind, loadPart(p, count)), count);
}

export function activateBackward(kind: i32, count: i32, x: i32, y: i32, dy: i32, dx: i32): void {
  let p = at(x), q = at(y), g = at(dy), d = at(dx);
  if (kind == RELU) {
    const zero = splat(0);
    for (; count >= 4; count -= 4, q += 16, g += 16, d += 16) v128.store(d, v128.and(v128.load(g), f32x4.gt(v128.load(q), zero)));
    if (count > 0) storePart(d, v128.and(loadPart(g, count), f32x4.gt(loadPart(q, count), zero)), count);
    return;
  }
  for (; count >= 4; count -= 4, p += 16, q += 16, g += 16, d += 16) v128.store(d, f32x4.mul(v128.load(g), slope4(kind, v128.load(p), v128.load(q))));
  if (count > 0) storePart(d, f32x4.mul(loadPart(g, count), slope4(kind, loadPart(p, count), loadPart(q, count))), count);
}
