import { AssertionError } from "@tutti/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { clipByL2Norm, l2NormOf } from "./clip.ts";

const anyDelta = fc.float32Array({ noNaN: true, noDefaultInfinity: true, maxLength: 50 });
const anyBound = fc.double({ min: 1e-9, max: 1e9, noNaN: true });

/** Σ x² exactly, in units of 2^-298: every float32 is an integer multiple of 2^-149. */
function exactSquares(vector: Float32Array): bigint {
  return vector.reduce((sum, value) => sum + BigInt(value * 2 ** 149) ** 2n, 0n);
}

test("no clipped delta is longer than its bound, in exact arithmetic where it was scaled", () => {
  fc.assert(fc.property(anyDelta, anyBound, (delta, bound) => {
    const clipped = clipByL2Norm(delta, bound);
    expect(l2NormOf(clipped)).toBeLessThanOrEqual(bound);
    const wasScaled = l2NormOf(delta) > bound;
    const isWithin = exactSquares(clipped) <= BigInt(bound * 2 ** 149) ** 2n;
    expect(isWithin || !wasScaled).toBe(true);
  }), { numRuns: 1000 });
});

test("a long delta keeps its direction and loses no more than a millionth of its bound", () => {
  // 3-4-5: norm 5, scaled to 1
  const clipped = clipByL2Norm(Float32Array.of(3, -4), 1);
  expect(clipped[0]).toBeCloseTo(0.6, 6);
  expect(clipped[1]).toBeCloseTo(-0.8, 6);
  expect(l2NormOf(clipped)).toBeGreaterThan(1 - 1e-6);
});

test("a delta within its bound is unchanged, to the last bit", () => {
  fc.assert(fc.property(anyDelta, (delta) => {
    expect(clipByL2Norm(delta, 1e40)).toEqual(delta);
  }));
});

test("one norm holds for all parameters: many small coordinates are clipped too", () => {
  // √(10^4 · .1²) = 10
  const clipped = clipByL2Norm(new Float32Array(10_000).fill(0.1), 1);
  expect(clipped[0]).toBeCloseTo(0.01, 6);
});

test("a bound that binary fractions only approach is still not passed: .1 as float32 lies above .1", () => {
  expect(clipByL2Norm(Float32Array.of(0.1), 0.1)[0]).toBeLessThanOrEqual(0.1);
});

test("clipping writes a new vector", () => {
  const delta = Float32Array.of(3, 4);
  clipByL2Norm(delta, 10).fill(0);
  clipByL2Norm(delta, 1);
  expect([...delta]).toEqual([3, 4]);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a bound of %d is an assertion", (bound) => {
  expect(() => clipByL2Norm(Float32Array.of(1), bound)).toThrow(AssertionError);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])("a delta with %d is an assertion", (value) => {
  expect(() => clipByL2Norm(Float32Array.of(1, value), 1)).toThrow(AssertionError);
});
