import type { Person, Population } from "../population.ts";

/** The clients of one cohort and what they hold. */
export type CohortSummary = {
  readonly clientCount: number;
  readonly exampleCount: number;
  /** Examples of the client that has the fewest, of the one in the middle, and of the one that has the most; 0 without clients. */
  readonly examplesPerClient: { readonly min: number; readonly median: number; readonly max: number };
  readonly labels: LabelSummary;
};

/** How often each class id comes, in their order; or the range of the values. */
export type LabelSummary =
  | { readonly kind: "classes"; readonly counts: readonly { readonly label: number; readonly count: number }[] }
  | { readonly kind: "values"; readonly min: number; readonly mean: number; readonly max: number }
  | { readonly kind: "none" };

/** What a data set holds. */
export type DataSummary = {
  readonly description: string;
  readonly collection: string;
  readonly schemaVersion: number;
  readonly numbersPerExample: number;
  readonly training: CohortSummary;
  readonly heldOut: CohortSummary;
};

/** Counts over a whole population; opens one client after the other and holds the examples of one at a time. */
export function dataSummary({ people, description, collection, schemaVersion }: Population): DataSummary {
  const [first] = people;
  const source = first?.examples();
  return {
    description, collection, schemaVersion,
    numbersPerExample: source === undefined ? 0 : source.inputs.length / source.exampleCount,
    training: cohortSummary(people.filter(({ cohort }) => cohort === "training")),
    heldOut: cohortSummary(people.filter(({ cohort }) => cohort === "held-out")),
  };
}

function cohortSummary(people: readonly Person[]): CohortSummary {
  const counts: number[] = [];
  const labels = new LabelTally();
  for (const { examples } of people) {
    const { exampleCount, targets } = examples();
    counts.push(exampleCount);
    labels.add(targets);
  }
  const ordered = counts.toSorted((a, b) => a - b);
  return {
    clientCount: people.length,
    exampleCount: counts.reduce((sum, count) => sum + count, 0),
    examplesPerClient: { min: ordered[0] ?? 0, median: ordered[Math.floor(ordered.length / 2)] ?? 0, max: ordered.at(-1) ?? 0 },
    labels: labels.summary(),
  };
}

class LabelTally {
  readonly #classes = new Map<number, number>();
  #values = { min: Number.POSITIVE_INFINITY, sum: 0, max: Number.NEGATIVE_INFINITY, count: 0 };

  add(targets: Float32Array | Int32Array): void {
    if (targets instanceof Int32Array) {
      for (const label of targets) this.#classes.set(label, (this.#classes.get(label) ?? 0) + 1);
      return;
    }
    const { min, sum, max, count } = this.#values;
    this.#values = { min: targets.reduce((a, b) => Math.min(a, b), min), sum: targets.reduce((a, b) => a + b, sum), max: targets.reduce((a, b) => Math.max(a, b), max), count: count + targets.length };
  }

  summary(): LabelSummary {
    const { min, sum, max, count } = this.#values;
    if (count > 0) return { kind: "values", min, mean: sum / count, max };
    if (this.#classes.size === 0) return { kind: "none" };
    return { kind: "classes", counts: [...this.#classes].map(([label, labelCount]) => ({ label, count: labelCount })).toSorted((a, b) => a.label - b.label) };
  }
}
