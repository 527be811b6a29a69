import type { LossKernels } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

export function lossKernels(m: Numbers): LossKernels {
  return {
    softmaxCrossEntropy(rows, n, x, targets, ignore, topK, scale, dx, stats) {
      m.fill(0, stats, stats + 3);
      let sum = 0;
      for (let r = 0; r < rows; r++) {
        const target = m[targets + r] ?? 0;
        if (target === ignore) m.fill(0, dx + r * n, dx + (r + 1) * n);
        else sum += softmaxRow(m, { n, x: x + r * n, target, topK, scale, dx: dx + r * n, stats });
      }
      return sum;
    },
    sigmoidCrossEntropy(count, x, targets, scale, dx, stats) {
      return eachPrediction(m, { count, x, targets, scale, dx, stats }, (value, target) => {
        if (value > 0 === target > 0.5) m[stats] = (m[stats] ?? 0) + 1;
        const loss = Math.max(value, 0) - value * target + Math.log1p(Math.exp(-Math.abs(value)));
        const probability = 1 / (1 + Math.exp(-value));
        return { loss, slope: probability - target, absoluteError: Math.abs(probability - target) };
      });
    },
    squaredError(count, x, targets, scale, dx, stats) {
      return eachPrediction(m, { count, x, targets, scale, dx, stats }, (value, target) => {
        const error = value - target;
        return { loss: error * error, slope: 2 * error, absoluteError: Math.abs(error) };
      });
    },
    huber(count, delta, x, targets, scale, dx, stats) {
      return eachPrediction(m, { count, x, targets, scale, dx, stats }, (value, target) => {
        const error = value - target;
        const absoluteError = Math.abs(error);
        const loss = absoluteError <= delta ? 0.5 * error * error : delta * (absoluteError - 0.5 * delta);
        return { loss, slope: Math.max(-delta, Math.min(delta, error)), absoluteError };
      });
    },
  };
}

type Row = { readonly n: number; readonly x: number; readonly target: number; readonly topK: number; readonly scale: number; readonly dx: number; readonly stats: number };

/** One row's loss log Σexp(x) − x_target; a tie with the target counts against it. */
function softmaxRow(m: Numbers, row: Row): number {
  const { n, x, target, dx } = row;
  const wanted = m[x + target] ?? 0;
  let top = Number.NEGATIVE_INFINITY;
  let notBelow = 0;
  for (let j = 0; j < n; j++) {
    const value = m[x + j] ?? 0;
    top = Math.max(top, value);
    if (j !== target && value >= wanted) notBelow++;
  }
  if (notBelow === 0) m[row.stats] = (m[row.stats] ?? 0) + 1;
  if (notBelow < row.topK) m[row.stats + 1] = (m[row.stats + 1] ?? 0) + 1;
  let sum = 0;
  for (let j = 0; j < n; j++) {
    const power = Math.exp((m[x + j] ?? 0) - top);
    m[dx + j] = power;
    sum += power;
  }
  for (let j = 0; j < n; j++) m[dx + j] = ((m[dx + j] ?? 0) / sum - (j === target ? 1 : 0)) * row.scale;
  return Math.log(sum) + top - wanted;
}

type Predictions = { readonly count: number; readonly x: number; readonly targets: number; readonly scale: number; readonly dx: number; readonly stats: number };

function eachPrediction(m: Numbers, at: Predictions, measure: (value: number, target: number) => { loss: number; slope: number; absoluteError: number }): number {
  m.fill(0, at.stats, at.stats + 3);
  let sum = 0;
  let absoluteErrorSum = 0;
  for (let i = 0; i < at.count; i++) {
    const { loss, slope, absoluteError } = measure(m[at.x + i] ?? 0, m[at.targets + i] ?? 0);
    sum += loss;
    absoluteErrorSum += absoluteError;
    m[at.dx + i] = slope * at.scale;
  }
  m[at.stats + 2] = absoluteErrorSum;
  return sum;
}
