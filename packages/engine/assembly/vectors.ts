/** First byte of the numbers; below lie the packed panels of matrix products. */
export const NUMBERS: usize = 576 << 10;

/** The address of a number's offset. */
@inline
export function at(offset: i32): usize {
  return NUMBERS + (<usize>offset << 2);
}

/** a·b + c, fused where the build has relaxed SIMD: one rounding instead of two. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

@inline
export function storeSum(c: usize, value: f32, beta: i32): void {
  store<f32>(c, beta ? load<f32>(c) + value : value);
}

@inline
export function sumLanes(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2)) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3));
}

@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** The first `count` of four numbers, zeros behind: a row's ragged end. */
export function loadPart(p: usize, count: i32): v128 {
  let x = v128.load32_zero(p);
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(p, 4));
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(p, 8));
  return x;
}

export function storePart(p: usize, x: v128, count: i32): void {
  store<f32>(p, f32x4.extract_lane(x, 0));
  if (count > 1) store<f32>(p, f32x4.extract_lane(x, 1), 4);
  if (count > 2) store<f32>(p, f32x4.extract_lane(x, 2), 8);
}

/** Four numbers, or the first `count` where fewer are left. */
@inline
export function loadUpTo4(p: usize, count: i32): v128 {
  return count >= 4 ? v128.load(p) : loadPart(p, count);
}

@inline
export function storeUpTo4(p: usize, x: v128, count: i32): void {
  if (count >= 4) v128.store(p, x);
  else storePart(p, x, count);
}
