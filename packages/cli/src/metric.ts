import type { MetricSums } from "@tutti/protocol";

/** The figure by which people judge a model, with its value: accuracy in 0..1, the others in the target's units. */
export type Measured = { readonly metric: "accuracy" | "mean-absolute-error" | "loss"; readonly value: number };

/**
 * What the sums measure; undefined for no examples. The sums themselves tell the metric: a classifier
 * adds up no errors, a regression counts no right answers, and what does neither has its loss.
 */
export function measured(sums: MetricSums): Measured | undefined {
  const { count, absoluteErrorSum, correct, lossSum } = sums;
  if (count === 0) return undefined;
  if (absoluteErrorSum > 0) return { metric: "mean-absolute-error", value: absoluteErrorSum / count };
  return correct > 0 ? { metric: "accuracy", value: correct / count } : { metric: "loss", value: lossSum / count };
}

/** As a person reads it: "accuracy 91.2 %". */
export function measuredText(figure: Measured | undefined): string {
  if (figure === undefined) return "no examples";
  const { metric, value } = figure;
  return metric === "accuracy" ? `accuracy ${(100 * value).toFixed(1)} %` : `${metric.replaceAll("-", " ")} ${value.toPrecision(4)}`;
}
