import { AssertionError, SeededRandom } from "@tutti/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addToSum, deltaFault, mergeSum, metricGridOf, metricsOnGrid, sumGridOf } from "./exact-sum.ts";
import { metricSumMax } from "./limits.ts";
import { addMetricSums, noMetricSums } from "./metrics.ts";

const bounds = { clipNorm: 3, weightMax: 500, reportsMax: 200 };
const grid = sumGridOf(bounds);

type Report = { readonly delta: Float32Array; readonly weight: number };

/** Reports whose coordinates have wild magnitudes and signs, each within the bounds. */
const anyReports = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 24 }), fc.integer({ min: 0, max: 2 ** 31 })).map(([length, count, seed]): Report[] => {
  const random = SeededRandom.from(seed);
  const coordinate = (): number => (random.uniform() - 0.5) * 2 ** -random.below(40);
  return Array.from({ length: count }, () => ({ delta: Float32Array.from({ length }, coordinate), weight: 1 + random.below(bounds.weightMax) }));
});

function sumOf(reports: readonly Report[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const { delta, weight } of reports) addToSum(sum, delta, { weight, grid });
  return sum;
}

const bitsOf = (sum: Float64Array): readonly bigint[] => [...new BigInt64Array(sum.buffer)];

describe("the grid", () => {
  // 3 · 500 · 200 = 300 000; 2^18 = 262 144 ≤ 300 000 < 2^19, so g = 2^(19−51)
  test("is the smallest power of two with clip · weight · reports < 2^51 · g", () => {
    expect(grid).toBe(2 ** -32);
    fc.assert(fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (clipNorm, weightMax, reportsMax) => {
      const g = sumGridOf({ clipNorm, weightMax, reportsMax });
      const bound = clipNorm * weightMax * reportsMax;
      expect(Number.isInteger(Math.log2(g))).toBe(true);
      expect(bound < 2 ** 51 * g).toBe(true);
      expect(bound < 2 ** 51 * (g / 2)).toBe(false);
    }));
  });

  test("of a bound that is itself a power of two leaves room above it", () => {
    for (let exponent = -40; exponent < 60; exponent++) expect(sumGridOf({ clipNorm: 2 ** exponent, weightMax: 1, reportsMax: 1 })).toBe(2 ** (exponent - 50));
  });

  test("of nonsense is an assertion", () => {
    for (const wrong of [{ clipNorm: 0 }, { clipNorm: Number.NaN }, { clipNorm: Number.POSITIVE_INFINITY }, { reportsMax: 0 }, { reportsMax: 2 ** 30 }]) {
      expect(() => sumGridOf({ ...bounds, ...wrong })).toThrow(AssertionError);
    }
  });
});

describe("a sum", () => {
  test("does not depend on the order of its reports, to the last bit", () => {
    fc.assert(fc.property(anyReports, fc.integer({ min: 0, max: 2 ** 31 }), (reports, seed) => {
      const length = reports[0]?.delta.length ?? 0;
      const shuffled = [...SeededRandom.from(seed).permutation(reports.length)].flatMap((i) => reports[i] ?? []);
      expect(bitsOf(sumOf(shuffled, length))).toEqual(bitsOf(sumOf(reports, length)));
    }));
  });

  test("does not depend on how partial sums are grouped and merged, to the last bit", () => {
    fc.assert(fc.property(anyReports, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 24, maxLength: 24 }), (reports, shards) => {
      const length = reports[0]?.delta.length ?? 0;
      const parts = [0, 1, 2, 3].map((shard) => sumOf(reports.filter((_, i) => shards[i] === shard), length));
      const merged = new Float64Array(length);
      for (const part of parts.toReversed()) mergeSum(merged, part);
      expect(bitsOf(merged)).toEqual(bitsOf(sumOf(reports, length)));
    }));
  });

  test("without the grid depends on the order: the laws above can fail", () => {
    const naive = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
    const values = [1, 2 ** -53, 2 ** -53, -1];
    expect(naive(values)).not.toBe(naive(values.toReversed()));
  });

  test("lies within half a grid step per report of the real one", () => {
    fc.assert(fc.property(anyReports, (reports) => {
      const sum = sumOf(reports, reports[0]?.delta.length ?? 0);
      // Exact rational arithmetic: every float32 here is an integer multiple of 2^-149.
      const exact = reports.reduce((total, { delta, weight }) => total + BigInt(weight) * BigInt((delta[0] ?? 0) * 2 ** 149), 0n);
      const error = Number(BigInt((sum[0] ?? 0) * 2 ** 149) - exact) / 2 ** 149;
      expect(Math.abs(error)).toBeLessThanOrEqual((reports.length * grid) / 2);
    }));
  });

  test("of as many reports as the grid allows, each at its bound, is still exact", () => {
    const tight = sumGridOf({ clipNorm: 1, weightMax: 3, reportsMax: 1000 });
    const sum = new Float64Array(1);
    for (let i = 0; i < 1000; i++) addToSum(sum, Float32Array.of(1), { weight: 3, grid: tight });
    expect(sum[0]).toBe(3000);
    for (let i = 0; i < 1000; i++) addToSum(sum, Float32Array.of(-1), { weight: 3, grid: tight });
    expect(sum[0]).toBe(0);
  });

  test("takes no delta of another length", () => {
    expect(() => addToSum(new Float64Array(3), new Float32Array(2), { weight: 1, grid })).toThrow(AssertionError);
    expect(() => mergeSum(new Float64Array(3), new Float64Array(2))).toThrow(AssertionError);
  });
});

describe("a delta", () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("that holds %s anywhere is refused as not finite", (value) => {
    for (let at = 0; at < 3; at++) expect(deltaFault(Float32Array.from([0, 0, 0].with(at, value)), 3)).toEqual({ code: "report-not-finite" });
  });

  test("beyond its norm is out of range, by one coordinate or by many", () => {
    expect(deltaFault(Float32Array.of(3.0000002384185791, 0), 3)?.code).toBe("report-out-of-range");
    // √(2 · 2.2²) = 3.11
    expect(deltaFault(Float32Array.of(2.2, 2.2), 3)?.code).toBe("report-out-of-range");
    expect(deltaFault(Float32Array.of(-3.4e38, 0), 3)?.code).toBe("report-out-of-range");
  });

  test("at its bound passes, also where adding the squares rounds up", () => {
    expect(deltaFault(Float32Array.of(3, 0), 3)).toBeNull();
    // 9 · 10^4 coordinates of .01: √(9e4 · 1e-4) = 3, with the float32 .01 a little below .01
    expect(deltaFault(new Float32Array(90_000).fill(0.01), 3)).toBeNull();
  });
});

describe("metric sums", () => {
  const metricGrid = metricGridOf(64);
  const anySums = fc.record({
    count: fc.nat(1e6), correct: fc.nat(1e6),
    lossSum: fc.double({ min: -1e6, max: 1e6, noNaN: true }), absoluteErrorSum: fc.double({ min: 0, max: 1e6, noNaN: true }),
  });

  test("on their grid add up to the same bits in any order", () => {
    fc.assert(fc.property(fc.array(anySums, { maxLength: 64 }), (list) => {
      const rounded = list.map((sums) => {
        const onGrid = metricsOnGrid(sums, metricGrid);
        if ("code" in onGrid) throw new Error(onGrid.code);
        return onGrid;
      });
      expect(rounded.reduceRight(addMetricSums, noMetricSums)).toEqual(rounded.reduce(addMetricSums, noMetricSums));
    }));
  });

  test("lose no more than half a grid step, far below what a metric shows", () => {
    // 2^32 · 64 = 2^38, so g = 2^(39−51) = 2^-12
    expect(metricGrid).toBe(2 ** -12);
    expect(metricsOnGrid({ count: 3, correct: 2, lossSum: 1.3, absoluteErrorSum: 0 }, metricGrid)).toEqual({ count: 3, correct: 2, lossSum: Math.round(1.3 * 4096) / 4096, absoluteErrorSum: 0 });
  });

  test("beyond their bound, or not finite, are refused", () => {
    const sums = { count: 1, correct: 0, lossSum: 0, absoluteErrorSum: 0 };
    expect(metricsOnGrid({ ...sums, lossSum: -metricSumMax - 1 }, metricGrid)).toMatchObject({ code: "report-out-of-range" });
    expect(metricsOnGrid({ ...sums, absoluteErrorSum: 2 * metricSumMax }, metricGrid)).toMatchObject({ code: "report-out-of-range" });
    expect(metricsOnGrid({ ...sums, lossSum: Number.NaN }, metricGrid)).toEqual({ code: "report-not-finite" });
    expect(metricsOnGrid({ ...sums, lossSum: metricSumMax }, metricGrid)).toMatchObject({ lossSum: metricSumMax });
  });
});
