import { assert } from "./assert.ts";

/**
 * Randomness for keys, masks, tokens and noise: a port to the platform's CSPRNG.
 * Cannot be mixed with `SeededRandom`: the two share no method.
 */
export interface SecureRandom {
  /** `byteCount` unpredictable bytes. */
  bytes(byteCount: number): Uint8Array<ArrayBuffer>;
}

/** 32-bit state words of a seeded generator. */
type Sfc32 = { a: number; b: number; c: number; counter: number };

/**
 * Randomness for sampling, shuffles, initial weights and simulation: reproducible, never secret.
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand), period at least 2^32 per seed, integer
 * arithmetic only, so the same seed gives the same numbers on every machine.
 */
export class SeededRandom {
  readonly #state: Sfc32;
  readonly #seed: number;

  private constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#state = { a: this.#seed, b: scramble(this.#seed ^ 0x9e3779b9), c: scramble(this.#seed ^ 0x7f4a7c15), counter: 1 };
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** @param seed an integer in 0..2^53−1. */
  static from(seed: number): SeededRandom {
    assert(Number.isSafeInteger(seed) && seed >= 0, "a seed is a safe integer, at least 0");
    return new SeededRandom(scramble(seed >>> 0) ^ scramble(Math.floor(seed / 2 ** 32) + 0x51ed270b));
  }

  /** An independent generator for `label`; does not disturb this one. Split seeds, never reuse them. */
  split(label: string | number): SeededRandom {
    let hash = scramble(this.#seed ^ 0x2545f491);
    for (const char of String(label)) hash = scramble(hash ^ (char.codePointAt(0) ?? 0));
    return new SeededRandom(hash);
  }

  /** Uniform integer in 0..2^32−1. */
  uint32(): number {
    const s = this.#state;
    const sum = (s.a + s.b + s.counter) | 0;
    s.counter = (s.counter + 1) | 0;
    s.a = s.b ^ (s.b >>> 9);
    s.b = (s.c + (s.c << 3)) | 0;
    s.c = (((s.c << 21) | (s.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1) on the grid of 2^-32. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Uniform integer in 0..bound−1, without modulo bias. @param bound 1..2^32. */
  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 32, "a bound is an integer in 1..2^32");
    const accepted = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = this.uint32();
      if (word < accepted) return word % bound;
    }
  }

  /** One draw of N(0, 1) by Box-Muller. Uses Math.log and Math.cos: equal on one JavaScript engine, not across engines. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A uniform permutation of 0..count−1 (Fisher-Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = held;
    }
    return order;
  }
}

/** Finaliser of MurmurHash3: every input bit changes every output bit with probability near 1/2. */
function scramble(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
