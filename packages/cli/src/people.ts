import type { BatchSource } from "@tutti/engine";
import type { Eligibility } from "@tutti/protocol";
import { openPopulation, type Population } from "@tutti/simulator";
import { CommandFailure } from "./failure.ts";

/** Which people hold a demo's examples. Plain data: every thread opens its own part of them. */
export type PeopleSource = {
  /** Folder of a data set; undefined for synthetic people. */
  readonly dataPath: string | undefined;
  /** The collection that the task reads: it tells which people these are. */
  readonly collection: string;
  readonly seed: number;
  /** The first so many of those who train; undefined for all of them. */
  readonly trainingCountMax: number | undefined;
};

/** One person's device: its owner's id, its part in the experiment, and its examples. */
export type Person = {
  readonly id: string;
  readonly cohort: Eligibility["cohort"];
  readonly collection: string;
  readonly schemaVersion: number;
  readonly examples: BatchSource;
};

export type PeopleCounts = { readonly origin: string; readonly trainingCount: number; readonly heldOutCount: number };

/** How many people there are, and where they come from. */
export async function countPeople(source: PeopleSource): Promise<PeopleCounts> {
  const { population, members } = await chosen(source);
  const trainingCount = members.filter(({ cohort }) => cohort === "training").length;
  return { origin: population.description, trainingCount, heldOutCount: members.length - trainingCount };
}

/** The people with these places in the list, those who train before those who evaluate; all of them without `indexes`. */
export async function openPeople(source: PeopleSource, indexes?: readonly number[]): Promise<readonly Person[]> {
  const { population, members } = await chosen(source);
  const { collection, schemaVersion } = population;
  const wanted = indexes === undefined ? members : members.filter((_, index) => indexes.includes(index));
  return wanted.map(({ id, cohort, examples }) => ({ id, cohort, collection, schemaVersion, examples: examples() }));
}

/** The part of a data set that belongs to `id`. @throws CommandFailure naming some that exist. */
export async function openClient(dataPath: string, id: string): Promise<Person> {
  const { collection, schemaVersion, people } = await openPopulation({ kind: "folder", path: dataPath });
  const person = people.find((candidate) => candidate.id === id);
  if (person === undefined) throw new CommandFailure(`--client ${id}: not in ${dataPath}, which has ${people.slice(0, 3).map((known) => known.id).join(", ")}…`);
  return { id, cohort: person.cohort, collection, schemaVersion, examples: person.examples() };
}

async function chosen({ dataPath, collection, seed, trainingCountMax }: PeopleSource): Promise<{ readonly population: Population; readonly members: Population["people"] }> {
  const population = await openPopulation(dataPath === undefined ? { kind: "synthetic", collection, seed, trainingCountMin: trainingCountMax ?? 0 } : { kind: "folder", path: dataPath });
  const training = population.people.filter(({ cohort }) => cohort === "training").slice(0, trainingCountMax);
  const heldOut = population.people.filter(({ cohort }) => cohort === "held-out");
  return { population, members: [...training, ...heldOut] };
}
