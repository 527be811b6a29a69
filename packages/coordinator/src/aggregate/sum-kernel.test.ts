import { SeededRandom } from "@tutti/base";
import { addToSum, deltaFault, sumGridOf } from "@tutti/learning";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadSumKernels } from "./sum-kernel.ts";

const newKernel = loadSumKernels();
const bounds = { clipNorm: 300, weightMax: 500, reportsMax: 200 };
const grid = sumGridOf(bounds);

/** Lengths around the lanes (4) and the window (4096 coordinates). */
const anyLength = fc.oneof(fc.integer({ min: 0, max: 13 }), fc.constantFrom(4095, 4096, 4097, 20_001));

function deltaOf(length: number, random: SeededRandom): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, () => (random.uniform() - 0.5) * 2 ** -random.below(40));
}

const bytesOf = (values: Float32Array<ArrayBuffer>): Uint8Array => new Uint8Array(values.buffer);
const bitsOf = (sum: Float64Array): BigInt64Array => new BigInt64Array(Float64Array.from(sum).buffer);

describe("the kernel", () => {
  test("adds as learning's loop does, bit for bit, at any length and from any address", () => {
    fc.assert(fc.property(anyLength, fc.integer({ min: 1, max: 6 }), fc.nat(), fc.integer({ min: 0, max: 7 }), (length, reports, seed, shift) => {
      const random = SeededRandom.from(seed);
      const kernel = newKernel();
      kernel.begin(length);
      const expected = new Float64Array(length);
      for (let i = 0; i < reports; i++) {
        const delta = deltaOf(length, random);
        const weight = 1 + random.below(bounds.weightMax);
        const moved = new Uint8Array(4 * length + shift);
        moved.set(bytesOf(delta), shift);
        expect(kernel.addWithin(moved.subarray(shift), { weight, grid, clipNorm: bounds.clipNorm })).toBe(null);
        addToSum(expected, delta, { weight, grid });
      }
      expect(bitsOf(kernel.sum)).toEqual(bitsOf(expected));
    }), { numRuns: 60 });
  });

  test("judges a delta as learning does, and a refused one leaves every bit of the sum as it was", () => {
    fc.assert(fc.property(anyLength, fc.nat(), fc.double({ min: 0.001, max: 100, noNaN: true }), fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY), (length, seed, clipNorm, poison) => {
      const random = SeededRandom.from(seed);
      const kernel = newKernel();
      kernel.begin(length);
      kernel.addWithin(bytesOf(deltaOf(length, random)), { weight: 7, grid, clipNorm: bounds.clipNorm });
      const before = bitsOf(kernel.sum);
      const delta = deltaOf(length, random);
      if (poison !== null && length > 0) delta[random.below(length)] = poison;
      const fault = kernel.addWithin(bytesOf(delta), { weight: 3, grid, clipNorm });
      // Of two faults the kernel names the one whose block comes first.
      expect(fault === null).toBe(deltaFault(delta, clipNorm) === null);
      expect(poison === null ? fault?.code : undefined).toBe(poison === null ? deltaFault(delta, clipNorm)?.code : undefined);
      expect(fault === null || Buffer.from(bitsOf(kernel.sum).buffer).equals(Buffer.from(before.buffer))).toBe(true);
    }), { numRuns: 100 });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("finds %d in every lane and behind the last one", (poison) => {
    for (let at = 0; at < 11; at++) {
      const kernel = newKernel();
      kernel.begin(11);
      const delta = new Float32Array(11);
      delta[at] = poison;
      expect(kernel.addWithin(bytesOf(delta), { weight: 1, grid, clipNorm: 1 })).toEqual({ code: "report-not-finite" });
      expect(kernel.sum.every((value) => value === 0)).toBe(true);
    }
  });

  test("begins again with zeros, longer or shorter", () => {
    const kernel = newKernel();
    for (const length of [5, 70_000, 3]) {
      kernel.begin(length);
      expect(kernel.sum.length).toBe(length);
      expect(kernel.sum.every((value) => Object.is(value, 0))).toBe(true);
      kernel.addWithin(bytesOf(new Float32Array(length).fill(1)), { weight: 2, grid, clipNorm: 1000 });
      expect(kernel.sum.every((value) => value === 2)).toBe(true);
    }
  });
});
