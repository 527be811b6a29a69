import { exp4, ln } from "./functions";
import { at, loadPart, madd, splat, storePart, sumLanes } from "./vectors";

@inline
function count1(p: usize): void {
  store<f32>(p, load<f32>(p) + 1);
}

function clearStats(stats: i32): void {
  memory.fill(at(stats), 0, 12);
}

export function softmaxCrossEntropy(rows: i32, n: i32, x: i32, targets: i32, ignore: f32, topK: i32, scale: f32, dx: i32, stats: i32): f64 {
  clearStats(stats);
  let sum: f64 = 0;
  for (let r = 0; r < rows; r++, x += n, dx += n) {
    const target = load<f32>(at(targets + r));
    if (target == ignore) memory.fill(at(dx), 0, n << 2);
    else sum += softmaxRow(n, x, i32(target), topK, scale, dx, at(stats));
  }
  return sum;
}

function softmaxRow(n: i32, x: i32, target: i32, topK: i32, scale: f32, dx: i32, stats: usize): f64 {
  const wanted = load<f32>(at(x + target));
  const top = greatest(n, at(x));
  const rivals = countNotBelow(n, at(x), wanted) - 1;
  if (rivals == 0) count1(stats);
  if (rivals < topK) count1(stats + 4);
  const sum = exponentials(n, at(x), top, at(dx));
  scaleAll(n, at(dx), scale / sum);
  const q = at(dx + target);
  store<f32>(q, load<f32>(q) - scale);
  return ln(f64(sum)) + f64(top) - f64(wanted);
}

export function greatest(n: i32, p: usize): f32 {
  let most = splat(-Infinity);
  for (; n >= 4; n -= 4, p += 16) most = f32x4.max(most, v128.load(p));
  let top = max(max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)), max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
  for (; n > 0; n--, p += 4) top = max(top, load<f32>(p));
  return top;
}

function countNotBelow(n: i32, p: usize, bound: f32): i32 {
  let counts = i32x4.splat(0);
  let count = 0;
  for (; n >= 4; n -= 4, p += 16) counts = i32x4.sub(counts, f32x4.ge(v128.load(p), splat(bound)));
  for (; n > 0; n--, p += 4) count += i32(load<f32>(p) >= bound);
  return count + i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1) + i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
}

/** q ← exp(p − top); gives their sum. */
export function exponentials(n: i32, p: usize, top: f32, q: usize): f32 {
  const t = splat(top);
  let sum = splat(0);
  for (; n >= 4; n -= 4, p += 16, q += 16) {
    const e = exp4(f32x4.sub(v128.load(p), t));
    v128.store(q, e);
    sum = f32x4.add(sum, e);
  }
  let total = sumLanes(sum);
  if (n > 0) {
    const e = exp4(f32x4.sub(loadPart(p, n), t));
    storePart(q, e, n);
    total += f32x4.extract_lane(e, 0);
    if (n > 1) total += f32x4.extract_lane(e, 1);
    if (n > 2) total += f32x4.extract_lane(e, 2);
  }
  return total;
}

export function scaleAll(n: i32, p: usize, factor: f32): void {
  const a = splat(factor);
  for (; n >= 4; n -= 4, p += 16) v128.store(p, f32x4.mul(a, v128.load(p)));
  for (; n > 0; n--, p += 4) store<f32>(p, factor * load<f32>(p));
}

/** One number at a time: outputs of values are few. */
export function sigmoidCrossEntropy(count: i32, x: i32, targets: i32, scale: f32, dx: i32, stats: i32): f64 {
  clearStats(stats);
  let sum: f64 = 0;
  let absolute: f64 = 0;
  for (let i = 0; i < count; i++) {
    const value = load<f32>(at(x + i)), target = load<f32>(at(targets + i));
    const e = f32x4.extract_lane(exp4(splat(-abs(value))), 0);
    const p: f32 = value >= 0 ? 1 / (1 + e) : e / (1 + e);
    if ((value > 0) == (target > 0.5)) count1(at(stats));
    sum += f64(max(value, 0)) - f64(value) * f64(target) + ln(1 + f64(e));
    absolute += f64(abs(p - target));
    store<f32>(at(dx + i), (p - target) * scale);
  }
  store<f32>(at(stats + 2), f32(absolute));
  return sum;
}

export function squaredError(count: i32, x: i32, targets: i32, scale: f32, dx: i32, stats: i32): f64 {
  clearStats(stats);
  let sum: f64 = 0;
  let absolute: f64 = 0;
  for (let i = 0; i < count; i++) {
    const error = load<f32>(at(x + i)) - load<f32>(at(targets + i));
    sum += f64(error) * f64(error);
    absolute += f64(abs(error));
    store<f32>(at(dx + i), 2 * error * scale);
  }
  store<f32>(at(stats + 2), f32(absolute));
  return sum;
}

export function huber(count: i32, delta: f32, x: i32, targets: i32, scale: f32, dx: i32, stats: i32): f64 {
  clearStats(stats);
  let sum: f64 = 0;
  let absolute: f64 = 0;
  for (let i = 0; i < count; i++) {
    const error = load<f32>(at(x + i)) - load<f32>(at(targets + i));
    const size = abs(error);
    sum += size <= delta ? 0.5 * f64(error) * f64(error) : f64(delta) * (f64(size) - 0.5 * f64(delta));
    absolute += f64(size);
    store<f32>(at(dx + i), max(-delta, min(delta, error)) * scale);
  }
  store<f32>(at(stats + 2), f32(absolute));
  return sum;
}
