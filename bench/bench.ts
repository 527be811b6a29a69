/** One measured figure beside what it is measured against. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The figure of the reference, measured in the same run, in the same unit. */
  readonly reference: number;
  /** value / reference */
  readonly ratio: number;
  /** The bound in words: "ratio ≥ 0.8". */
  readonly target: string;
  readonly met: boolean;
}

/** What a bench module `bench/NAME.ts` exports as `rows`; a slow one yields each row when it is known. */
export type BenchRows = () => AsyncIterable<BenchRow> | Promise<readonly BenchRow[]>;

export type Bound =
  | { readonly kind: "ratio-at-least" | "ratio-at-most"; readonly bound: number }
  | { readonly kind: "value-at-least" | "value-at-most"; readonly bound: number };

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number;
  readonly target: Bound;
}

/** The row of a measurement: its ratio, its target in words, and whether that was met. */
export function benchRow({ name, value, unit, reference, target }: Measurement): BenchRow {
  const ratio = value / reference;
  const measured = target.kind.startsWith("ratio") ? ratio : value;
  const isFloor = target.kind.endsWith("at-least");
  const met = isFloor ? measured >= target.bound : measured <= target.bound;
  const words = `${target.kind.startsWith("ratio") ? "ratio" : "value"} ${isFloor ? "≥" : "≤"} ${target.bound}`;
  return { name, value, unit, reference, ratio, target: words, met };
}

/** The middle of `values`; of an even number the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * Medians of `runCount` interleaved runs, one per subject, in the order given. Interleaved, because a
 * machine that grows warm or busy must slow down the reference as much as what is compared with it.
 */
export async function mediansOfRuns(runCount: number, subjects: readonly (() => number | Promise<number>)[]): Promise<readonly number[]> {
  const figures = subjects.map((): number[] => []);
  for (let run = 0; run < runCount; run++) {
    for (const [i, subject] of subjects.entries()) figures[i]?.push(await subject());
  }
  return figures.map(median);
}
