import { unreachable } from "@tutti/base";
import type { MetricSums as EngineMetrics } from "@tutti/engine";
import type { MetricName, MetricSums } from "@tutti/protocol";

export const noMetricSums: MetricSums = { count: 0, lossSum: 0, correct: 0, absoluteErrorSum: 0 };

/** What leaves the device of the engine's sums: the terms of the loss are what the wire counts. */
export function metricSumsOf({ predictionCount, lossSum, correctCount, absoluteErrorSum }: EngineMetrics): MetricSums {
  return { count: predictionCount, lossSum, correct: correctCount, absoluteErrorSum };
}

/** The sums of both. Order-independent to the last bit where both lie on one grid (exact-sum). */
export function addMetricSums(a: MetricSums, b: MetricSums): MetricSums {
  return {
    count: a.count + b.count,
    lossSum: a.lossSum + b.lossSum,
    correct: a.correct + b.correct,
    absoluteErrorSum: a.absoluteErrorSum + b.absoluteErrorSum,
  };
}

/** A metric's value from its sums: the right part of a classifier, or a mean per prediction; undefined without predictions. */
export function metricValue(name: MetricName, sums: MetricSums): number | undefined {
  if (sums.count === 0) return undefined;
  switch (name) {
    case "accuracy":
      return sums.correct / sums.count;
    case "loss":
      return sums.lossSum / sums.count;
    case "mean-absolute-error":
      return sums.absoluteErrorSum / sums.count;
    default:
      return unreachable(name);
  }
}

/** Whether more of a metric is better. */
export function isBetterHigher(name: MetricName): boolean {
  return name === "accuracy";
}
