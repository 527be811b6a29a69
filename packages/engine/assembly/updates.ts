import { at, loadUpTo4, madd, splat, storeUpTo4 } from "./vectors";

export function momentumStep(count: i32, rate: f32, momentum: f32, w: i32, g: i32, v: i32): void {
  const mu = splat(momentum), step = splat(-rate);
  let p = at(w), q = at(g), r = at(v);
  for (; count > 0; count -= 4, p += 16, q += 16, r += 16) {
    const velocity = madd(mu, loadUpTo4(r, count), loadUpTo4(q, count));
    storeUpTo4(r, velocity, count);
    storeUpTo4(p, madd(step, velocity, loadUpTo4(p, count)), count);
  }
}

/** The betas come as float64: 1 − 0.999 in float32 is wrong by 2e-5 of itself. */
export function adamStep(count: i32, rate: f32, beta1: f64, beta2: f64, epsilon: f32, w: i32, g: i32, m: i32, v: i32): void {
  let p = at(w), q = at(g), r = at(m), s = at(v);
  for (; count > 0; count -= 4, p += 16, q += 16, r += 16, s += 16) {
    const slope = loadUpTo4(q, count);
    const mean = madd(splat(f32(beta1)), loadUpTo4(r, count), f32x4.mul(splat(f32(1 - beta1)), slope));
    const square = madd(splat(f32(beta2)), loadUpTo4(s, count), f32x4.mul(f32x4.mul(splat(f32(1 - beta2)), slope), slope));
    storeUpTo4(r, mean, count);
    storeUpTo4(s, square, count);
    storeUpTo4(p, f32x4.sub(loadUpTo4(p, count), quotient(splat(rate), mean, square, epsilon)), count);
  }
}

export function adagradStep(count: i32, rate: f32, epsilon: f32, w: i32, g: i32, sums: i32): void {
  let p = at(w), q = at(g), s = at(sums);
  for (; count > 0; count -= 4, p += 16, q += 16, s += 16) {
    const slope = loadUpTo4(q, count);
    const squareSum = madd(slope, slope, loadUpTo4(s, count));
    storeUpTo4(s, squareSum, count);
    storeUpTo4(p, f32x4.sub(loadUpTo4(p, count), quotient(splat(rate), slope, squareSum, epsilon)), count);
  }
}

/** rate·x/(√square + ε) */
@inline
function quotient(rate: v128, x: v128, square: v128, epsilon: f32): v128 {
  return f32x4.div(f32x4.mul(rate, x), f32x4.add(f32x4.sqrt(square), splat(epsilon)));
}
