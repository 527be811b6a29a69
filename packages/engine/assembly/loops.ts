import { loadPart, loadUpTo4, madd, storePart, storeUpTo4 } from "./vectors";

/** y ← x at addresses; a window's row is a few numbers, for which memory.copy was measured six times slower. */
export function copyNumbers(count: i32, p: usize, q: usize): void {
  for (; count >= 4; count -= 4, p += 16, q += 16) v128.store(q, v128.load(p));
  if (count > 0) storePart(q, loadPart(p, count), count);
}

/** y ← y + x at addresses. */
export function addNumbers(count: i32, p: usize, q: usize): void {
  for (; count >= 4; count -= 4, p += 16, q += 16) v128.store(q, f32x4.add(v128.load(p), v128.load(q)));
  if (count > 0) storePart(q, f32x4.add(loadPart(p, count), loadPart(q, count)), count);
}

/** y ← y + x·z at addresses. */
export function addProducts(count: i32, p: usize, s: usize, q: usize): void {
  for (; count > 0; count -= 4, p += 16, s += 16, q += 16) storeUpTo4(q, madd(loadUpTo4(p, count), loadUpTo4(s, count), loadUpTo4(q, count)), count);
}
