import { madd, splat } from "./vectors";

/**
 * exp of four numbers, relative error below 3e-7: n = round(x/ln 2), a polynomial in x − n·ln 2
 * (Cody and Waite in two parts, coefficients of Cephes expf), times 2ⁿ by its bits. NaN stays NaN.
 * A function, not inlined: a kilobyte of the build's ten, and no time that could be measured.
 */
export function exp4(x: v128): v128 {
  const clamped = f32x4.min(f32x4.max(x, splat(-87.3)), splat(88.7));
  const n = f32x4.nearest(f32x4.mul(clamped, splat(1.44269504)));
  const r = madd(n, splat(2.12194440e-4), madd(n, splat(-0.693359375), clamped));
  let p = madd(r, splat(1.9875691500e-4), splat(1.3981999507e-3));
  p = madd(p, r, splat(8.3334519073e-3));
  p = madd(p, r, splat(4.1665795894e-2));
  p = madd(p, r, splat(1.6666665459e-1));
  p = madd(p, r, splat(5.0000001201e-1));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, splat(1)));
  // 2ⁿ in two factors: n = 128 alone would overflow the exponent.
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const rest = i32x4.sub(whole, half);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(rest));
}

@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.neg(x))));
}

/** tanh of four numbers, relative error below 5e-7: an odd polynomial (Cephes tanhf) below 0.625, else by exp. */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const square = f32x4.mul(x, x);
  let p = madd(square, splat(-5.70498872745e-3), splat(2.06390887954e-2));
  p = madd(p, square, splat(-5.37397155531e-2));
  p = madd(p, square, splat(1.33314422036e-1));
  p = madd(p, square, splat(-3.33332819422e-1));
  const small = madd(f32x4.mul(p, square), x, x);
  const e = exp4(f32x4.mul(size, splat(2)));
  const large = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(size, splat(0.625)));
}

/** Natural logarithm of a positive normal number, by atanh: ln m = 2·atanh((m − 1)/(m + 1)), m in [√½, √2). */
export function ln(x: f64): f64 {
  let bits = reinterpret<i64>(x);
  let exponent = i32((bits >> 52) & 0x7ff) - 1023;
  if (exponent == 1024) return x;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  const z = (m - 1) / (m + 1);
  const s = z * z;
  let sum: f64 = 0;
  for (let odd: i32 = 21; odd >= 1; odd -= 2) sum = sum * s + 1 / f64(odd);
  return f64(exponent) * 0.6931471805599453 + 2 * z * sum;
}
