import type { BatchSource } from "@tutti/engine";
import type { Person } from "../population.ts";

/** What a file says of one client: its examples one after the other, and whether it was named as one that tests. */
export type ClientExamples = {
  readonly id: string;
  /** Undefined where the file says nothing of it. */
  readonly cohort: Person["cohort"] | undefined;
  readonly examples: BatchSource;
};

/** One client in so many is held out where a data set does not say who is. */
const heldOutOneIn = 10;

/** The people of a file. Where no client is named as held out, each tenth is. */
export function peopleOf(clients: readonly ClientExamples[]): readonly Person[] {
  const isSplit = clients.some(({ cohort }) => cohort === "held-out");
  return clients.map(({ id, cohort, examples }, i) => ({
    id,
    cohort: isSplit ? (cohort ?? "training") : cohortOf(i),
    examples: () => ({ ...examples, inputs: examples.inputs.slice(), targets: examples.targets.slice() }),
  }));
}

function cohortOf(place: number): Person["cohort"] {
  return place % heldOutOneIn === heldOutOneIn - 1 ? "held-out" : "training";
}
