// The exact sum of a round: learning/exact-sum's loops over two lanes of float64. A report comes through the
// window in blocks; the sum lies behind it.

/** First byte of the window: float32 coordinates of one block of a report. */
const WINDOW: usize = 64 << 10;
/** Bytes of the window: half of a first-level cache, so that a block is inspected and added from there. */
const WINDOW_BYTES: usize = 16 << 10;
/** First byte of the sum: float64, one per parameter. */
const SUM: usize = WINDOW + WINDOW_BYTES;

/** Sum of squares and largest magnitude of what was inspected since `beginInspection`. */
let squares: f64 = 0;
let largest: f32 = 0;

export function windowStart(): i32 {
  return <i32>WINDOW;
}

export function windowBytes(): i32 {
  return <i32>WINDOW_BYTES;
}

export function sumStart(): i32 {
  return <i32>SUM;
}

/** Makes room for `count` sums and sets them to 0; false where the machine refuses the memory. */
export function reserve(count: i32): bool {
  const wanted = (SUM + (<usize>count << 3) + 0xffff) >> 16;
  const pages = <i32>wanted - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) return false;
  memory.fill(SUM, 0, <usize>count << 3);
  return true;
}

export function beginInspection(): void {
  squares = 0;
  largest = 0;
}

/** Takes the first `count` numbers of the window into `squareSum` and `largestMagnitude`. */
export function inspect(count: i32): void {
  let even = f64x2.splat(0), odd = f64x2.splat(0);
  let most = f32x4.splat(largest);
  let p = WINDOW;
  for (; count >= 4; count -= 4, p += 16) {
    const four = v128.load(p);
    // pmax leaves a NaN out, and is one instruction where max is several: the squares tell of a NaN.
    most = f32x4.pmax(most, f32x4.abs(four));
    const low = f64x2.promote_low_f32x4(four), high = f64x2.promote_low_f32x4(i64x2.shuffle(four, four, 1, 1));
    even = f64x2.add(even, f64x2.mul(low, low));
    odd = f64x2.add(odd, f64x2.mul(high, high));
  }
  largest = max(max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)), max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
  const both = f64x2.add(even, odd);
  squares += f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; count > 0; count--, p += 4) {
    const x = load<f32>(p);
    squares += f64(x) * f64(x);
    largest = max(largest, abs(x));
  }
}

export function squareSum(): f64 {
  return squares;
}

export function largestMagnitude(): f64 {
  return f64(largest);
}

/** sum[first + i] += (weight·window[i] + magic) − magic, for i below `count`. */
export function add(first: i32, count: i32, weight: f64, magic: f64): void {
  const w = f64x2.splat(weight), m = f64x2.splat(magic);
  let p = WINDOW, q = SUM + (<usize>first << 3);
  for (; count >= 4; count -= 4, p += 16, q += 32) {
    const four = v128.load(p);
    const low = f64x2.promote_low_f32x4(four), high = f64x2.promote_low_f32x4(i64x2.shuffle(four, four, 1, 1));
    v128.store(q, f64x2.add(v128.load(q), f64x2.sub(f64x2.add(f64x2.mul(w, low), m), m)));
    v128.store(q, f64x2.add(v128.load(q, 16), f64x2.sub(f64x2.add(f64x2.mul(w, high), m), m)), 16);
  }
  for (; count > 0; count--, p += 4, q += 8) store<f64>(q, load<f64>(q) + (weight * f64(load<f32>(p)) + magic - magic));
}
