import { assert, type Brand } from "@tutti/base";

/** A delta whose L2 norm is at most the clip norm of its plan: one device moves the sum by no more than that, times its weight. */
export type ClippedDelta = Brand<Float32Array<ArrayBuffer>, "ClippedDelta">;

/**
 * Kept below the bound by this part of it, so that rounding the scaled coordinates to float32 (2^-24
 * of each) and adding the squares of 2^26 coordinates (2^-28) cannot lift the norm above it.
 */
const roundingMargin = 2 ** -22;

/**
 * Device half: scales `delta` so that its L2 norm is at most `bound`; a shorter delta is returned
 * unchanged. One norm over all parameters, not one per layer: the account assumes one bound per device.
 * Server half: nothing to undo, since what was cut off is gone; the server checks the bound again
 * before it adds (learning, `deltaFault`).
 * Bounds what one device can do to the sum, whatever its examples are. Hides nothing by itself.
 * @param delta [parameters] float32, trained − downloaded, finite; not written.
 * @param bound above 0, in parameter units: the plan's `sum.clipNorm`.
 */
export function clipByL2Norm(delta: Float32Array, bound: number): ClippedDelta {
  assert(Number.isFinite(bound) && bound > 0, "a clip norm is finite and above 0");
  const norm = l2NormOf(delta);
  assert(Number.isFinite(norm), "only a finite delta is clipped");
  if (norm <= bound) return Float32Array.from(delta) as ClippedDelta;
  const scale = (bound / norm) * (1 - roundingMargin);
  return delta.map((value) => value * scale) as ClippedDelta;
}

/** √Σ x² in float64, over float32 values: no square overflows. */
export function l2NormOf(vector: Float32Array): number {
  let squares = 0;
  // By index: iterating took 15 times as long (2.9 ms against 0.19 for 200 000 coordinates).
  for (let i = 0; i < vector.length; i++) squares += (vector[i] ?? 0) ** 2;
  return Math.sqrt(squares);
}
