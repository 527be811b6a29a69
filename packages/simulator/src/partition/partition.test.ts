import fc from "fast-check";
import { expect, test } from "vitest";
import type { Population } from "../population.ts";
import { partitioned, type Partition } from "./partition.ts";

/** People whose examples say who they are: input [label, number], number unique in its cohort. */
function population(counts: { readonly training: number; readonly heldOut: number }, classCount = 10): Population {
  const person = (cohort: "training" | "held-out", half: number, count: number) => {
    const numbers = Array.from({ length: count }, (_, i) => 2 * i + half);
    return { id: `${cohort}-${half}`, cohort, examples: () => ({
      exampleCount: count, inputs: Float32Array.from(numbers.flatMap((number) => [number % classCount, number])), targets: Int32Array.from(numbers, (number) => number % classCount),
    }) };
  };
  const { training, heldOut } = counts;
  return { description: "numbers", collection: "numbers", schemaVersion: 1, people: [person("training", 0, training / 2), person("training", 1, training / 2), person("held-out", 0, heldOut)] };
}

const dealt = { clientCount: 10, heldOutClientCount: 3 };
const all: readonly Partition[] = [{ kind: "iid", ...dealt }, { kind: "shards", shardsPerClient: 2, ...dealt }, { kind: "dirichlet", alpha: 0.3, ...dealt }];

const clientsOf = ({ people }: Population, cohort: "training" | "held-out" = "training") => people.filter((person) => person.cohort === cohort).map(({ examples }) => examples());
const numbersOf = (examples: { readonly inputs: ArrayLike<number> }): readonly number[] => Array.from(examples.inputs).filter((_, i) => i % 2 === 1);

test.each(all)("every example is dealt once, with its own label, whatever the partition: $kind", (partition) => {
  const people = partitioned(population({ training: 400, heldOut: 30 }), partition, 1);
  const training = clientsOf(people);
  expect(training.map(({ exampleCount }) => exampleCount)).toEqual(Array.from({ length: 10 }, () => 40));
  expect(training.flatMap(numbersOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i));
  for (const { inputs, targets } of training) expect(Array.from(inputs).filter((_, i) => i % 2 === 0)).toEqual([...targets]);
  expect(clientsOf(people, "held-out").map(({ exampleCount }) => exampleCount)).toEqual([10, 10, 10]);
});

test.each(all)("the same seed deals the same, another seed something else: $kind", (partition) => {
  const source = population({ training: 400, heldOut: 30 });
  const numbers = (seed: number) => clientsOf(partitioned(source, partition, seed)).map(numbersOf);
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(2)).not.toEqual(numbers(1));
});

test("a client of two shards has at most two labels where the shards end with the labels, and most have two", () => {
  // 400 / 20 shards = 20 examples each; 10 labels of 40 are two shards each.
  const labels = clientsOf(partitioned(population({ training: 400, heldOut: 30 }), { kind: "shards", shardsPerClient: 2, ...dealt }, 1)).map(({ targets }) => new Set(targets).size);
  expect(Math.max(...labels)).toBe(2);
  expect(labels.filter((count) => count === 2).length).toBeGreaterThan(5);
});

test("the larger alpha is, the more alike are the clients' labels", () => {
  const source = population({ training: 4000, heldOut: 30 });
  // Mean over clients of the part of the label that a client has most: 0.1 where all are alike, 1 where each has one.
  const dominance = (alpha: number): number => {
    const parts = clientsOf(partitioned(source, { kind: "dirichlet", alpha, ...dealt }, 1)).map(({ targets }) => Math.max(...[...Map.groupBy(targets, (label) => label).values()].map((own) => own.length / targets.length)));
    return parts.reduce((sum, part) => sum + part, 0) / parts.length;
  };
  const [apart, between, alike] = [dominance(0.05), dominance(1), dominance(1000)];
  expect(apart).toBeGreaterThan(0.6);
  expect(between).toBeLessThan(apart);
  expect(alike).toBeLessThan(between);
  expect(alike).toBeLessThan(0.15);
});

test("a natural partition leaves everyone their own examples", () => {
  const source = population({ training: 40, heldOut: 4 });
  expect(partitioned(source, { kind: "natural" }, 1)).toBe(source);
});

test("what the division leaves over is left out, and no client has more than another", () => {
  fc.assert(fc.property(fc.integer({ min: 5, max: 60 }), fc.integer({ min: 1, max: 10 }), fc.nat(), (half, clientCount, seed) => {
    const clients = clientsOf(partitioned(population({ training: 2 * half, heldOut: 30 }), { kind: "iid", clientCount, heldOutClientCount: 1 }, seed));
    expect(clients.map(({ exampleCount }) => exampleCount)).toEqual(Array.from({ length: clientCount }, () => Math.floor((2 * half) / clientCount)));
    expect(new Set(clients.flatMap(numbersOf)).size).toBe(clientCount * Math.floor((2 * half) / clientCount));
  }), { numRuns: 50 });
});

test("more clients than examples are refused, in numbers", () => {
  expect(() => partitioned(population({ training: 8, heldOut: 30 }), { kind: "iid", ...dealt }, 1)).toThrow("10 parts of 8 examples; expected at most 8");
  expect(() => partitioned(population({ training: 16, heldOut: 30 }), { kind: "shards", shardsPerClient: 2, ...dealt }, 1)).toThrow("20 parts of 16 examples");
});
