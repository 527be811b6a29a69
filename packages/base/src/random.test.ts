import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AssertionError } from "./assert.ts";
import { SeededRandom } from "./random.ts";

const word = 2n ** 32n;

/** fmix32 of MurmurHash3 (Appleby), in integers without bounds. */
function fmix32(value: bigint): bigint {
  let h = value % word;
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) % word;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) % word;
  return h ^ (h >> 16n);
}

/** sfc32 as PractRand writes it: tmp = a + b + counter++; a = b ^ b>>9; b = c + (c<<3); c = rotl(c, 21) + tmp. */
function* sfc32(seed: number): Generator<number> {
  const low = fmix32(BigInt(seed) % word) ^ fmix32((BigInt(seed) / word + 0x51ed270bn) % word);
  let [a, b, c, counter] = [low, fmix32(low ^ 0x9e3779b9n), fmix32(low ^ 0x7f4a7c15n), 1n];
  for (let i = 0; ; i++) {
    const tmp = (a + b + counter) % word;
    counter = (counter + 1n) % word;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) % word;
    c = ((((c << 21n) | (c >> 11n)) % word) + tmp) % word;
    if (i >= 12) yield Number(tmp);
  }
}

const draws = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);
/** Distance of a mean of `values` from `mean` in standard errors; |z| < 6.2 holds by chance but for 6e-10. */
const zOf = (values: readonly number[], mean: number, standardDeviation: number): number =>
  (values.reduce((sum, value) => sum + value, 0) / values.length - mean) / (standardDeviation / Math.sqrt(values.length));

describe("uint32", () => {
  test("is sfc32 from a state scrambled by MurmurHash3's finaliser", () => {
    // fmix32(1) as Appleby's own code gives it.
    expect(fmix32(1n)).toBe(0x514e28b7n);
    fc.assert(fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (seed) => {
      const twin = sfc32(seed);
      const random = SeededRandom.from(seed);
      expect(draws(50, () => random.uint32())).toEqual(draws(50, () => twin.next().value as number));
    }));
  });

  test("gives other numbers for seeds that differ above 2^32 alone", () => {
    expect(SeededRandom.from(5).uint32()).not.toBe(SeededRandom.from(5 + 2 ** 32).uint32());
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN])("has no seed %d", (seed) => {
    expect(() => SeededRandom.from(seed)).toThrow(AssertionError);
  });
});

describe("split", () => {
  test("does not disturb the generator that is split, whatever it has drawn before", () => {
    const [split, whole] = [SeededRandom.from(1), SeededRandom.from(1)];
    split.split("child").uint32();
    expect(draws(20, () => split.uint32())).toEqual(draws(20, () => whole.uint32()));
    expect(split.split("child").uint32()).toBe(SeededRandom.from(1).split("child").uint32());
  });

  test("gives another stream for each label and each parent", () => {
    const first = (seed: number, label: string | number): number => SeededRandom.from(seed).split(label).uint32();
    const streams = draws(1000, () => 0).flatMap((_, i) => [first(1, i), first(2, i), first(1, `child ${i}`)]);
    // 3000 words of 2^32: one equal pair by chance with probability 1e-3; the seeds are fixed, so it is none.
    expect(new Set(streams).size).toBe(3000);
  });

  test("of neighbouring labels is uncorrelated", () => {
    const random = SeededRandom.from(9);
    const [a, b] = [random.split(0), random.split(1)];
    const products = draws(20_000, () => (a.uniform() - 0.5) * (b.uniform() - 0.5));
    // Var(xy) = (1/12)²; the positive control, a stream with itself, has mean 1/12.
    expect(Math.abs(zOf(products, 0, 1 / 12))).toBeLessThan(6.2);
    const [c, d] = [random.split(0), random.split(0)];
    expect(Math.abs(zOf(draws(20_000, () => (c.uniform() - 0.5) * (d.uniform() - 0.5)), 0, 1 / 12))).toBeGreaterThan(6.2);
  });
});

describe("below", () => {
  test("favours no number, where a plain remainder would favour the lower third twofold", () => {
    const bound = 3 * 2 ** 30;
    const random = SeededRandom.from(3);
    const lowShare = (draw: () => number): number => zOf(draws(20_000, () => Number(draw() < 2 ** 30)), 1 / 3, Math.sqrt(2) / 3);
    expect(Math.abs(lowShare(() => random.below(bound)))).toBeLessThan(6.2);
    expect(Math.abs(lowShare(() => random.uint32() % bound))).toBeGreaterThan(6.2);
  });

  test("stays below its bound and reaches every number of a small one", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (bound, seed) => {
      const random = SeededRandom.from(seed);
      // A number is missed with probability (1 − 1/40)^2000 < 1e-21.
      expect(new Set(draws(2000, () => random.below(bound))).size).toBe(bound);
    }), { numRuns: 30 });
    expect(SeededRandom.from(1).below(2 ** 32)).toBeLessThan(2 ** 32);
  });

  test.each([0, -1, 1.5, 2 ** 32 + 1])("has no bound %d", (bound) => {
    expect(() => SeededRandom.from(1).below(bound)).toThrow(AssertionError);
  });
});

test("uniform draws lie in [0, 1) on the grid of 2^-32, around one half", () => {
  const random = SeededRandom.from(4);
  const values = draws(20_000, () => random.uniform());
  expect(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 32))).toBe(true);
  expect(Math.abs(zOf(values, 0.5, Math.sqrt(1 / 12)))).toBeLessThan(6.2);
});

test("normal draws have mean 0, variance 1 and the tail of a Gaussian", () => {
  const random = SeededRandom.from(6);
  const values = draws(50_000, () => random.normal());
  expect(Math.abs(zOf(values, 0, 1))).toBeLessThan(6.2);
  // Var(x²) = 2
  expect(Math.abs(zOf(values.map((value) => value * value), 1, Math.sqrt(2)))).toBeLessThan(6.2);
  // P(|x| > 2) = .0455003
  const beyond = 0.0455003;
  expect(Math.abs(zOf(values.map((value) => Number(Math.abs(value) > 2)), beyond, Math.sqrt(beyond * (1 - beyond))))).toBeLessThan(6.2);
});

test("a permutation holds every number once, and all six of three are equally likely", () => {
  fc.assert(fc.property(fc.nat(200), fc.nat(), (count, seed) => {
    expect([...SeededRandom.from(seed).permutation(count)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  }));
  const random = SeededRandom.from(8);
  const seen = draws(12_000, () => random.permutation(3).join(""));
  for (const order of ["012", "021", "102", "120", "201", "210"]) {
    expect(Math.abs(zOf(seen.map((drawn) => Number(drawn === order)), 1 / 6, Math.sqrt(5) / 6))).toBeLessThan(6.2);
  }
});
