import { assert, type Brand } from "@tutti/base";
import type { MetricSums } from "@tutti/protocol";
import { metricSumMax, normTolerance, reportsPerSumMax } from "./limits.ts";

/** The step of an exact sum, a power of two: every addend is a multiple of it, and so is every partial sum. */
export type SumGrid = Brand<number, "SumGrid">;

export type SumBounds = {
  /** L2 bound of a delta; so it bounds each coordinate. */
  readonly clipNorm: number;
  readonly weightMax: number;
  /** Reports that one sum may hold. */
  readonly reportsMax: number;
};

/** Why a delta may not enter a sum. */
export type DeltaFault = { readonly code: "report-not-finite" } | { readonly code: "report-out-of-range"; readonly expected: string };

/**
 * The grid g of a sum of weighted deltas: the smallest power of two with
 * clipNorm · weightMax · reportsMax < 2^51 · g. Fixed for a round by its plan, so that checkpoints,
 * workers and restarts agree.
 */
export function sumGridOf({ clipNorm, weightMax, reportsMax }: SumBounds): SumGrid {
  assert(Number.isSafeInteger(reportsMax) && reportsMax >= 1 && reportsMax <= reportsPerSumMax, "a sum holds a bounded number of reports");
  return gridAbove(clipNorm * weightMax * reportsMax);
}

/** The grid of the metric sums of up to `reportsMax` reports, each within `metricSumMax`. */
export function metricGridOf(reportsMax: number): SumGrid {
  return sumGridOf({ clipNorm: metricSumMax, weightMax: 1, reportsMax });
}

/**
 * Adds weight · delta to `sum`, each product rounded to the grid first by (w·x + M) − M with
 * M = 1.5 · 2^52 · g. Multiples of g below 2^53 · g add without rounding, so no order, grouping or
 * merging of partial sums changes a bit. The aggregation kernel must equal this loop bit for bit.
 * @param sum [parameters] float64, written. @param delta [parameters] float32 that `deltaFault` let pass.
 * @param weight an integer in 1..weightMax.
 */
export function addToSum(sum: Float64Array, delta: Float32Array, { weight, grid }: { readonly weight: number; readonly grid: SumGrid }): void {
  assert(sum.length === delta.length, "a delta has the length of its sum");
  const magic = 1.5 * 2 ** 52 * grid;
  for (let i = 0; i < delta.length; i++) {
    const product = weight * (delta[i] ?? 0);
    sum[i] = (sum[i] ?? 0) + (product + magic - magic);
  }
}

/** Adds a partial sum on the same grid: exact, in any order. @param sum [parameters] float64, written. */
export function mergeSum(sum: Float64Array, part: Float64Array): void {
  assert(sum.length === part.length, "partial sums have one length");
  for (let i = 0; i < part.length; i++) sum[i] = (sum[i] ?? 0) + (part[i] ?? 0);
}

/** What `deltaFault` judges of a delta: Σ x² and the largest |x|, in float64. */
export type DeltaMagnitude = { readonly squareSum: number; readonly largest: number };

/** The first reason why `delta` [parameters] float32 may not enter a sum with this clip norm, or null. */
export function deltaFault(delta: Float32Array, clipNorm: number): DeltaFault | null {
  let squareSum = 0;
  let largest = 0;
  // By index: iterating over a typed array took 8 times as long (0.86 ms against 0.11 for 100 000 coordinates).
  for (let i = 0; i < delta.length; i++) {
    const magnitude = Math.abs(delta[i] ?? 0);
    squareSum += magnitude * magnitude;
    if (magnitude > largest) largest = magnitude;
  }
  return magnitudeFault({ squareSum, largest }, clipNorm);
}

/** The same judgement where a kernel measured the delta: its sum of squares may differ in the last bits. */
export function magnitudeFault({ squareSum, largest }: DeltaMagnitude, clipNorm: number): DeltaFault | null {
  // NaN or an infinity anywhere makes the sum of squares one: float32 squares do not overflow float64.
  if (!Number.isFinite(squareSum)) return { code: "report-not-finite" };
  const isWithin = largest <= clipNorm && Math.sqrt(squareSum) <= clipNorm * (1 + normTolerance);
  return isWithin ? null : { code: "report-out-of-range", expected: `an L2 norm of at most ${clipNorm}` };
}

/** Metric sums of one report, ready to be added: real numbers rounded to the grid, or the bound that they break. */
export function metricsOnGrid(sums: MetricSums, grid: SumGrid): MetricSums | DeltaFault {
  const { count, correct, lossSum, absoluteErrorSum } = sums;
  if (!Number.isFinite(lossSum) || !Number.isFinite(absoluteErrorSum)) return { code: "report-not-finite" };
  const isWithin = Math.abs(lossSum) <= metricSumMax && Math.abs(absoluteErrorSum) <= metricSumMax;
  if (!isWithin) return { code: "report-out-of-range", expected: `metric sums of at most ${metricSumMax}` };
  return { count, correct, lossSum: roundedTo(grid, lossSum), absoluteErrorSum: roundedTo(grid, absoluteErrorSum) };
}

function roundedTo(grid: SumGrid, value: number): number {
  const magic = 1.5 * 2 ** 52 * grid;
  return value + magic - magic;
}

/** The smallest power of two g with bound < 2^51 · g. */
function gridAbove(bound: number): SumGrid {
  // Below 2^-960 the grid would be subnormal, above 2^960 the magic number infinite.
  assert(bound > 2 ** -960 && bound < 2 ** 960, "the bound of a sum is a number of ordinary magnitude");
  let grid = 2 ** (Math.floor(Math.log2(bound)) - 51);
  // The logarithm may err by one on either side of a power of two; doubling and halving are exact.
  while (bound < 2 ** 51 * (grid / 2)) grid /= 2;
  while (bound >= 2 ** 51 * grid) grid *= 2;
  return grid as SumGrid;
}
