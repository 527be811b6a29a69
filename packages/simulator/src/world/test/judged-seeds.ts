import { runWorld, type WorldResult } from "../world.ts";

/** Worlds of one run: enough to see each pair of faults together dozens of times, in two minutes of two cores. */
const seedCountDefault = 300;
/** Lines of a failed world's trace that its failure shows; the whole of it comes with `TUTTI_SEED`. */
const shownLinesMax = 80;

/** The seeds of part `part` of `parts`; `TUTTI_SEEDS` sets how many all parts have, `TUTTI_SEED` names the only one. */
export function seedsOf(part: number, parts: number): readonly number[] {
  const only = process.env["TUTTI_SEED"];
  if (only !== undefined) return part === 0 ? [Number(only)] : [];
  const count = Number(process.env["TUTTI_SEEDS"] ?? seedCountDefault);
  return Array.from({ length: count }, (_, seed) => seed).filter((seed) => seed % parts === part);
}

/** What went wrong in the first world of `seeds` that breaks a law, readable; undefined where all hold. */
export async function firstFault(seeds: readonly number[]): Promise<string | undefined> {
  for (const seed of seeds) {
    const result = await runWorld(seed);
    if (process.env["TUTTI_SEED"] !== undefined) console.log(result.trace.join("\n"));
    if (result.fault !== undefined) return told(result);
  }
  return undefined;
}

function told({ seed, fault, trace }: WorldResult): string {
  return [`seed ${seed}: ${fault}`, ...trace.slice(-shownLinesMax), `the whole trace: TUTTI_SEED=${seed} npx vitest run --project world seeds`].join("\n");
}
