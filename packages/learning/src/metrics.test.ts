import fc from "fast-check";
import { expect, test } from "vitest";
import { addMetricSums, isBetterHigher, metricSumsOf, metricValue, noMetricSums } from "./metrics.ts";

const sums = { count: 8, lossSum: 2, correct: 6, absoluteErrorSum: 4 };

test("each metric is its sum per prediction", () => {
  expect(metricValue("accuracy", sums)).toBe(6 / 8);
  expect(metricValue("loss", sums)).toBe(2 / 8);
  expect(metricValue("mean-absolute-error", sums)).toBe(4 / 8);
});

test("without a prediction there is no metric, and none that is 0 by chance", () => {
  for (const name of ["accuracy", "loss", "mean-absolute-error"] as const) expect(metricValue(name, noMetricSums)).toBeUndefined();
});

test("only of the accuracy more is better", () => {
  expect((["accuracy", "loss", "mean-absolute-error"] as const).map(isBetterHigher)).toEqual([true, false, false]);
});

test("the metric of a sum is the mean of the metrics, weighted by predictions", () => {
  const counts = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 1000 })).map(([count, part]) => ({ ...noMetricSums, count, correct: Math.min(part, count) }));
  fc.assert(fc.property(counts, counts, (a, b) => {
    const mean = ((metricValue("accuracy", a) ?? 0) * a.count + (metricValue("accuracy", b) ?? 0) * b.count) / (a.count + b.count);
    expect(metricValue("accuracy", addMetricSums(a, b))).toBeCloseTo(mean, 12);
  }));
});

test("the wire counts predictions, not examples: a sequence has many", () => {
  expect(metricSumsOf({ exampleCount: 2, predictionCount: 40, lossSum: 3, correctCount: 30, correctTopKCount: 35, absoluteErrorSum: 0 })).toEqual({ count: 40, lossSum: 3, correct: 30, absoluteErrorSum: 0 });
});
