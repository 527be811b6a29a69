import type { SeededRandom } from "@tutti/base";
import type { ClientRows } from "./partition.ts";

/**
 * Hsu, Qi and Brown (2019): each client draws its mix q of labels from Dirichlet(α·p), p the pool's mix, and
 * then its rows one by one from q without replacement; a label that is used up leaves the mixes. Every client
 * gets ⌊rows / clients⌋ rows. @param labels [rows] @param alpha > 0
 */
export function dirichletRows(labels: ArrayLike<number>, { clientCount, alpha }: { readonly clientCount: number; readonly alpha: number }, random: SeededRandom): ClientRows {
  const left = rowsByLabel(labels, random.split("rows"));
  const prior = left.map((rows) => rows.length / labels.length);
  const each = Math.floor(labels.length / clientCount);
  return Array.from({ length: clientCount }, (_, client) => {
    const own = random.split(client);
    const mix = prior.map((part) => gamma(alpha * part * prior.length, own));
    return Array.from({ length: each }, () => left[drawLabel(mix, left, own)]?.pop() ?? 0);
  });
}

/** The rows of each label, in the labels' order, each list in a random order. */
function rowsByLabel(labels: ArrayLike<number>, random: SeededRandom): readonly number[][] {
  const rows = new Map<number, number[]>();
  for (const row of random.permutation(labels.length)) {
    const label = labels[row] ?? 0;
    const known = rows.get(label);
    if (known === undefined) rows.set(label, [row]);
    else known.push(row);
  }
  return [...rows.entries()].toSorted(([a], [b]) => a - b).map(([, list]) => list);
}

/** A label that has rows left, by the mix; where the mix has none of those, by what is left. */
function drawLabel(mix: readonly number[], left: readonly (readonly number[])[], random: SeededRandom): number {
  const weights = mix.map((part, label) => (left[label]?.length === 0 ? 0 : part));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? drawOf(weights, total * random.uniform()) : drawOf(left.map((rows) => rows.length), left.reduce((sum, rows) => sum + rows.length, 0) * random.uniform());
}

function drawOf(weights: readonly number[], at: number): number {
  let below = 0;
  for (const [i, weight] of weights.entries()) {
    below += weight;
    if (at < below) return i;
  }
  // Rounding may leave `at` on the sum itself.
  return weights.findLastIndex((weight) => weight > 0);
}

/** One draw of Gamma(shape, 1): Marsaglia and Tsang (2000); below shape 1 by their boost u^(1/shape). */
function gamma(shape: number, random: SeededRandom): number {
  if (shape < 1) return gamma(shape + 1, random) * random.uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    // 1 − u lies in (0, 1].
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
