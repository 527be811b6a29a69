import type { BatchSource } from "@tutti/engine";
import { expect, test } from "vitest";
import { syntheticPeopleMax } from "../limits.ts";
import { openPopulation } from "../open-population.ts";
import type { Person } from "../population.ts";

const open = (collection: string, options: { readonly seed?: number; readonly trainingCountMin?: number } = {}) =>
  openPopulation({ kind: "synthetic", collection, seed: options.seed ?? 1, trainingCountMin: options.trainingCountMin ?? 0 });
const collections = ["watch-windows", "watch-heart-rate"];

type Held = { readonly cohort: Person["cohort"]; readonly examples: BatchSource };

/** Everyone of seed 1 with their examples, made once: most tests only look at them. */
async function everyone(collection: string): Promise<readonly Held[]> {
  return (await open(collection)).people.map(({ cohort, examples }) => ({ cohort, examples: examples() }));
}
const watches = await everyone("watch-windows");
const hearts = await everyone("watch-heart-rate");

const of = (people: readonly Person[], cohort: Person["cohort"]) => people.filter((person) => person.cohort === cohort);

/** Text that two batches share exactly when all their numbers are equal. */
function print({ exampleCount, inputs, targets }: BatchSource): string {
  return [exampleCount, Buffer.from(inputs.buffer).toString("base64"), Buffer.from(targets.buffer).toString("base64")].join();
}

test.each(collections)("60 people hold %s to train on and 12 others never train, and they are called synthetic", async (name) => {
  const { description, collection, schemaVersion, people } = await open(name);
  expect(description).toContain("synthetic");
  expect([collection, schemaVersion]).toEqual([name, 1]);
  expect([of(people, "training").length, of(people, "held-out").length]).toEqual([60, 12]);
  expect(new Set(people.map(({ id }) => id)).size).toBe(72);
});

test.each(collections)("one seed gives the same %s twice, another seed gives others", async (name) => {
  const [first, again, other] = await Promise.all([open(name), open(name), open(name, { seed: 2 })]);
  const printed = (people: readonly Person[]) => people.slice(0, 3).map(({ examples }) => print(examples()));
  expect(printed(again.people)).toEqual(printed(first.people));
  expect(printed(other.people)).not.toEqual(printed(first.people));
});

test("no two people hold the same examples, and so no held-out person is one who trains", () => {
  for (const people of [watches, hearts]) expect(new Set(people.map(({ examples }) => print(examples))).size).toBe(72);
});

test("nobody holds one window twice", () => {
  for (const { examples: { exampleCount, inputs } } of [...watches, ...hearts]) {
    const length = inputs.length / exampleCount;
    const windows = Array.from({ length: exampleCount }, (_, i) => Buffer.from(inputs.slice(i * length, (i + 1) * length).buffer).toString("base64"));
    expect(new Set(windows).size).toBe(exampleCount);
  }
});

test("more people change nobody who was there", async () => {
  const [few, many] = await Promise.all([open("watch-windows"), open("watch-windows", { trainingCountMin: 80 })]);
  expect(of(many.people, "training")).toHaveLength(80);
  expect(many.people.slice(0, 60).map(({ id }) => id)).toEqual(few.people.slice(0, 60).map(({ id }) => id));
  const printed = (people: readonly Person[]) => [people[0], people[59], of(people, "held-out")[0]].flatMap((person) => (person === undefined ? [] : [print(person.examples())]));
  expect(printed(many.people)).toHaveLength(3);
  expect(printed(many.people)).toEqual(printed(few.people));
});

test("too many people, and a collection that nobody makes up, are refused", async () => {
  await expect(open("watch-windows", { trainingCountMin: syntheticPeopleMax + 1 })).rejects.toThrow(`expected at most ${syntheticPeopleMax}`);
  await expect(open("digits")).rejects.toThrow("no synthetic people hold the collection digits; expected watch-windows or watch-heart-rate");
});

test("everyone has enough windows of every activity, and no activity is rare", () => {
  const all = [0, 0, 0, 0, 0];
  for (const { examples: { exampleCount, targets, inputs } } of watches) {
    const own = [0, 1, 2, 3, 4].map((activity) => targets.filter((target) => target === activity).length);
    expect(inputs).toHaveLength(exampleCount * 64 * 6);
    expect(Math.min(...own)).toBeGreaterThanOrEqual(4);
    expect(exampleCount).toBeGreaterThanOrEqual(80);
    for (const [activity, count] of own.entries()) all[activity] = (all[activity] ?? 0) + count;
  }
  const total = all.reduce((sum, count) => sum + count, 0);
  // SEATED, STANDING_UP, WALKING, TURNING, SITTING_DOWN: half of a walk is walking, as in the real data set (49 %).
  expect(Math.min(...all) / total).toBeGreaterThan(0.05);
  expect((all[2] ?? 0) / total).toBeGreaterThan(0.35);
  expect((all[2] ?? 0) / total).toBeLessThan(0.55);
});

/** Mean of a window's numbers in one channel, and their standard deviation. */
function moments({ inputs }: BatchSource, window: number, channel: number): { readonly mean: number; readonly stdDev: number } {
  const values = Array.from({ length: 64 }, (_, i) => inputs[window * 384 + i * 6 + channel] ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / 64;
  return { mean, stdDev: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 64) };
}

/** Windows of one activity of all people, each through `figure`. */
function figures(people: readonly Held[], activity: number, figure: (examples: BatchSource, window: number) => number): number[] {
  return people.flatMap(({ examples }) => [...examples.targets].flatMap((target, window) => (target === activity ? [figure(examples, window)] : [])));
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test("a synthetic watch at rest measures 1 g, and who walks moves it far more than who sits", () => {
  const length = (source: BatchSource, window: number) => Math.hypot(...[0, 1, 2].map((channel) => moments(source, window, channel).mean));
  const movement = (source: BatchSource, window: number) => Math.hypot(...[0, 1, 2].map((channel) => moments(source, window, channel).stdDev));
  expect(median(figures(watches, 0, length))).toBeCloseTo(1, 1);
  expect(median(figures(watches, 2, movement))).toBeGreaterThan(2 * median(figures(watches, 0, movement)));
});

test("people differ in how the watch sits, in the strength of their gait and in its frequency", () => {
  // Walking windows, the sixty that train.
  const perPerson = (figure: (examples: BatchSource, window: number) => number) => watches.slice(0, 60).map((person) => median(figures([person], 2, figure)));
  const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  // Walking: gravity along the forearm changes its sign with the arm that wears the watch.
  expect(spread(perPerson((source, window) => moments(source, window, 0).mean))).toBeGreaterThan(1.5);
  const strengths = perPerson((source, window) => moments(source, window, 0).stdDev);
  expect(Math.max(...strengths)).toBeGreaterThan(1.5 * Math.min(...strengths));
  const steps = perPerson((source, window) => peakHz(source, window));
  expect(Math.min(...steps)).toBeLessThan(1.7);
  expect(Math.max(...steps)).toBeGreaterThan(1.9);
});

/** The frequency in 1.2..2.2 Hz, on a grid of 0.1, at which a window's forearm axis has the most power. */
function peakHz({ inputs }: BatchSource, window: number): number {
  const values = Array.from({ length: 64 }, (_, i) => inputs[window * 384 + i * 6] ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / 64;
  const power = (hz: number): number => {
    const angle = (2 * Math.PI * hz) / 50;
    const cosine = values.reduce((sum, value, i) => sum + (value - mean) * Math.cos(angle * i), 0);
    const sine = values.reduce((sum, value, i) => sum + (value - mean) * Math.sin(angle * i), 0);
    return cosine ** 2 + sine ** 2;
  };
  const powers = Array.from({ length: 11 }, (_, i) => power(1.2 + i * 0.1));
  return 1.2 + 0.1 * powers.indexOf(Math.max(...powers));
}

test("hearts beat in the range of people, faster in those who move, and differently in each at rest", () => {
  const rates = hearts.flatMap(({ examples }) => [...examples.targets]);
  // 40 to 200 a minute
  expect(Math.min(...rates)).toBeGreaterThan(0.66);
  expect(Math.max(...rates)).toBeLessThan(3.34);
  const resting = hearts.map(({ examples }) => median([...examples.targets].toSorted((a, b) => a - b).slice(0, 30)));
  expect(Math.max(...resting) - Math.min(...resting)).toBeGreaterThan(0.3);
  const byRate = hearts.flatMap(({ examples: { inputs, targets } }) => [...targets].map((rate, window) => ({ rate, motion: Math.hypot(...inputs.slice(window * 256 + 1, window * 256 + 4)) })))
    .toSorted((a, b) => a.rate - b.rate);
  const half = byRate.length / 2;
  const motionOf = (part: typeof byRate) => median(part.map(({ motion }) => motion));
  expect(motionOf(byRate.slice(half))).toBeGreaterThan(1.5 * motionOf(byRate.slice(0, half)));
});
