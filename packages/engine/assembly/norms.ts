import { dot } from "./rows";
import { at, loadUpTo4, madd, splat, storeUpTo4, sumLanes } from "./vectors";

/** Each group is `positions` runs of `width` neighbouring numbers, `channels` apart. */
export function normalize(examples: i32, positions: i32, channels: i32, groups: i32, epsilon: f32, x: i32, y: i32, inverse: i32): void {
  const width = channels / groups;
  const count = f64(positions * width);
  for (let e = 0; e < examples; e++) {
    for (let g = 0; g < groups; g++) {
      const first = e * positions * channels + g * width;
      let sum: f64 = 0;
      for (let p = 0; p < positions; p++) sum += f64(total(width, at(x + first + p * channels)));
      const mean = f32(sum / count);
      let squares: f64 = 0;
      for (let p = 0; p < positions; p++) squares += f64(centre(width, mean, at(x + first + p * channels), at(y + first + p * channels)));
      const factor = f32(1 / sqrt(squares / count + f64(epsilon)));
      store<f32>(at(inverse + e * groups + g), factor);
      for (let p = 0; p < positions; p++) multiplyAll(width, factor, at(y + first + p * channels));
    }
  }
}

export function normalizeBackward(examples: i32, positions: i32, channels: i32, groups: i32, y: i32, inverse: i32, dy: i32, dx: i32): void {
  const width = channels / groups;
  const count = f64(positions * width);
  for (let e = 0; e < examples; e++) {
    for (let g = 0; g < groups; g++) {
      const first = e * positions * channels + g * width;
      let sum: f64 = 0, products: f64 = 0;
      for (let p = 0; p < positions; p++) {
        const run = first + p * channels;
        sum += f64(total(width, at(dy + run)));
        products += f64(dot(width, at(y + run), at(dy + run)));
      }
      const mean = splat(f32(sum / count)), slope = splat(f32(-products / count)), factor = splat(load<f32>(at(inverse + e * groups + g)));
      for (let p = 0; p < positions; p++) {
        let u = at(y + first + p * channels), v = at(dy + first + p * channels), w = at(dx + first + p * channels);
        for (let left = width; left > 0; left -= 4, u += 16, v += 16, w += 16) {
          const centred = f32x4.sub(loadUpTo4(v, left), mean);
          storeUpTo4(w, f32x4.mul(factor, madd(slope, loadUpTo4(u, left), centred)), left);
        }
      }
    }
  }
}

function total(n: i32, p: usize): f32 {
  let sum = splat(0);
  for (; n > 0; n -= 4, p += 16) sum = f32x4.add(sum, loadUpTo4(p, n));
  return sumLanes(sum);
}

/** q ← p − mean; gives the sum of their squares. */
function centre(n: i32, mean: f32, p: usize, q: usize): f32 {
  const m = splat(mean);
  let squares = splat(0);
  let x: v128;
  for (; n >= 4; n -= 4, p += 16, q += 16) {
    x = f32x4.sub(v128.load(p), m);
    v128.store(q, x);
    squares = madd(x, x, squares);
  }
  let sum = sumLanes(squares);
  for (; n > 0; n--, p += 4, q += 4) {
    const one = load<f32>(p) - mean;
    store<f32>(q, one);
    sum += one * one;
  }
  return sum;
}

function multiplyAll(n: i32, factor: f32, p: usize): void {
  const a = splat(factor);
  for (; n > 0; n -= 4, p += 16) storeUpTo4(p, f32x4.mul(a, loadUpTo4(p, n)), n);
}
