import { assert, SeededRandom, unreachable } from "@tutti/base";
import { DataSetError } from "../data-set-error.ts";
import { clientsMax } from "../limits.ts";
import type { Person, Population } from "../population.ts";
import { dirichletRows } from "./dirichlet.ts";
import { gathered, pooled } from "./pool.ts";
import { shardRows } from "./shards.ts";

/**
 * Who holds which examples. `natural`: each person their own. All others pool the examples and deal them to
 * `clientCount` clients: `iid` at random; `shards`: sorted by label, cut, `shardsPerClient` pieces each
 * (McMahan et al. 2017); `dirichlet`: each client with a mix of labels of its own, drawn from a symmetric
 * Dirichlet distribution around the pool's mix, the more alike the larger α (Hsu et al. 2019).
 */
export type Partition =
  | { readonly kind: "natural" }
  | ({ readonly kind: "iid" } & Dealt)
  | ({ readonly kind: "shards"; readonly shardsPerClient: number } & Dealt)
  | ({ readonly kind: "dirichlet"; readonly alpha: number } & Dealt);

type Dealt = {
  readonly clientCount: number;
  /** The held-out examples are dealt at random to so many clients, whatever the others hold. */
  readonly heldOutClientCount: number;
};

/** For each client the numbers of its rows in the pool. */
export type ClientRows = readonly (readonly number[])[];

/**
 * `population` as the partition deals it: the same population, partition and seed give the same clients.
 * Every client holds ⌊rows / clients⌋ examples; the rest of the division is left out.
 * @throws DataSetError where there are fewer examples than clients, or labels are needed and there are none.
 */
export function partitioned(population: Population, partition: Partition, seed: number): Population {
  if (partition.kind === "natural") return population;
  const random = SeededRandom.from(seed).split("partition");
  const { people, description, ...collection } = population;
  const training = dealt(people, "training", (labels, own) => rowsOf(partition, labels, own), random);
  const heldOut = dealt(people, "held-out", (labels, own) => evenRows(labels.length, partition.heldOutClientCount, own), random);
  return { ...collection, description: `${description}, dealt to ${training.length} clients: ${words(partition)}`, people: [...training, ...heldOut] };
}

function dealt(people: readonly Person[], cohort: Person["cohort"], deal: (labels: ArrayLike<number>, random: SeededRandom) => ClientRows, random: SeededRandom): readonly Person[] {
  const members = people.filter((person) => person.cohort === cohort);
  if (members.length === 0) return [];
  const pool = pooled(members);
  const clients = deal(pool.labels, random.split(cohort));
  return clients.map((rows, i) => ({ id: `${cohort === "training" ? "c" : "h"}${i + 1}`, cohort, examples: () => gathered(pool, rows) }));
}

function rowsOf(partition: Exclude<Partition, { readonly kind: "natural" }>, labels: ArrayLike<number>, random: SeededRandom): ClientRows {
  switch (partition.kind) {
    case "iid":
      return evenRows(labels.length, partition.clientCount, random);
    case "shards":
      assertEnough(labels.length, partition.clientCount * partition.shardsPerClient);
      return shardRows(labels, partition, random);
    case "dirichlet":
      assertEnough(labels.length, partition.clientCount);
      return dirichletRows(labels, partition, random);
    default:
      return unreachable(partition);
  }
}

/** Rows in a random order, cut into equal parts. */
function evenRows(rowCount: number, clientCount: number, random: SeededRandom): ClientRows {
  assertEnough(rowCount, clientCount);
  const order = random.permutation(rowCount);
  const each = Math.floor(rowCount / clientCount);
  return Array.from({ length: clientCount }, (_, client) => Array.from(order.slice(client * each, (client + 1) * each)));
}

function assertEnough(rowCount: number, partCount: number): void {
  assert(partCount >= 1, "someone gets the examples");
  if (partCount > Math.min(rowCount, clientsMax)) throw new DataSetError(`${partCount} parts of ${rowCount} examples; expected at most ${Math.min(rowCount, clientsMax)}`);
}

function words(partition: Exclude<Partition, { readonly kind: "natural" }>): string {
  switch (partition.kind) {
    case "iid":
      return "at random";
    case "shards":
      return `${partition.shardsPerClient} shards of one label each`;
    case "dirichlet":
      return `labels by Dirichlet(${partition.alpha})`;
    default:
      return unreachable(partition);
  }
}
