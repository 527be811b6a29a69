import { SeededRandom } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import { DataSetError } from "../data-set-error.ts";
import { syntheticPeopleMax } from "../limits.ts";
import type { Person, Population } from "../population.ts";
import { watchWindows } from "../watch-window.ts";
import { activityExamples } from "./activity-examples.ts";
import { heartRateExamples, heartRateWindows } from "./heart-rate-examples.ts";
import { wearerOf, type Wearer } from "./wearer.ts";

/** Which made-up people: those of a collection and a seed. */
export type SyntheticSource = {
  readonly collection: string;
  readonly seed: number;
  /** At least so many train; there are never fewer than the default. */
  readonly trainingCountMin: number;
};

const trainingCountDefault = 60;
const heldOutCount = 12;

type Collection = { readonly collection: string; readonly schemaVersion: number; readonly examplesOf: (wearer: Wearer, random: SeededRandom) => BatchSource };

const collections: readonly Collection[] = [
  { ...watchWindows, examplesOf: activityExamples },
  { ...heartRateWindows, examplesOf: heartRateExamples },
];

/**
 * Made-up people with a watch. The same seed gives the same people: person number n is the same in
 * every population that has one, and those who never train are drawn from another part of the seed.
 * @throws DataSetError for a collection that nobody makes up, or more people than are allowed.
 */
export function syntheticPopulation({ collection: wanted, seed, trainingCountMin }: SyntheticSource): Population {
  const known = collections.find(({ collection }) => collection === wanted);
  if (known === undefined) throw new DataSetError(`no synthetic people hold the collection ${wanted}; expected ${collections.map(({ collection }) => collection).join(" or ")}, or a folder of data`);
  const trainingCount = Math.max(trainingCountDefault, trainingCountMin);
  if (trainingCount > syntheticPeopleMax) throw new DataSetError(`${trainingCount} synthetic people; expected at most ${syntheticPeopleMax}`);
  const { collection, schemaVersion, examplesOf } = known;
  const random = SeededRandom.from(seed).split("wearers");
  const group = (cohort: Person["cohort"], letter: string, count: number): readonly Person[] => Array.from({ length: count }, (_, i) => {
    const own = random.split(cohort).split(i);
    return { id: `${letter}${i + 1}`, cohort, examples: () => examplesOf(wearerOf(own.split("wearer")), own.split(collection)) };
  });
  return {
    description: `synthetic people with a watch, from seed ${seed}`,
    collection, schemaVersion,
    people: [...group("training", "t", trainingCount), ...group("held-out", "h", heldOutCount)],
  };
}
