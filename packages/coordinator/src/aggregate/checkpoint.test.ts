import { concatBytes, type Bytes } from "@tutti/base";
import { systemRandom } from "@tutti/base/node";
import { populationName, roundId, taskName } from "@tutti/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openCheckpoint, sealCheckpoint, type Checkpoint } from "./checkpoint.ts";

const round = roundId(populationName("demo"), taskName("watch"), 7);
const seal = { round, key: systemRandom.bytes(32) };
const metrics = { count: 3, lossSum: 0.25, correct: 2, absoluteErrorSum: 0 };

const anyCheckpoint = fc.record({
  sequence: fc.integer({ min: 1, max: 1e9 }),
  weight: fc.integer({ min: 0, max: 1e9 }),
  metrics: fc.constant(metrics),
  reports: fc.array(fc.tuple(fc.nat(), fc.record({ fingerprint: fc.string(), phases: fc.string() }))).map((entries) => new Map(entries)),
  vector: fc.array(fc.double({ noNaN: true }), { maxLength: 40 }).map((values) => Float64Array.from(values)),
});

const fileOf = (checkpoint: Checkpoint): Bytes => concatBytes(...sealCheckpoint(checkpoint, seal, systemRandom));

test("a sealed checkpoint opens as it was", () => {
  fc.assert(fc.property(anyCheckpoint, (checkpoint) => {
    expect(openCheckpoint(fileOf(checkpoint), seal)).toEqual({ ok: true, value: checkpoint });
  }));
});

test("a file that was cut short, lengthened or changed in any byte does not open", () => {
  fc.assert(fc.property(anyCheckpoint, fc.nat(), fc.integer({ min: 1, max: 255 }), (checkpoint, at, change) => {
    const file = fileOf(checkpoint);
    const position = 12 + (at % (file.length - 12));
    expect(openCheckpoint(file.subarray(0, position), seal).ok).toBe(false);
    expect(openCheckpoint(concatBytes(file, new Uint8Array(1)), seal).ok).toBe(false);
    file[position] = (file[position] ?? 0) ^ change;
    expect(openCheckpoint(file, seal).ok).toBe(false);
  }));
});

test("a checkpoint does not open under another key or as another round's", () => {
  const file = fileOf({ sequence: 1, weight: 1, metrics, reports: new Map(), vector: new Float64Array(2) });
  expect(openCheckpoint(file, { ...seal, key: systemRandom.bytes(32) }).ok).toBe(false);
  expect(openCheckpoint(file, { ...seal, round: roundId(populationName("demo"), taskName("watch"), 8) }).ok).toBe(false);
});

test("two checkpoints of one sum share no block of ciphertext: their nonces differ", () => {
  const checkpoint: Checkpoint = { sequence: 1, weight: 1, metrics, reports: new Map(), vector: new Float64Array(64) };
  const [first, second] = [fileOf(checkpoint), fileOf(checkpoint)];
  const blocks = (file: Bytes): string[] => Array.from({ length: Math.floor(file.length / 16) - 3 }, (_, i) => file.subarray(48 + 16 * i, 64 + 16 * i).join());
  expect(blocks(first).filter((block) => blocks(second).includes(block))).toEqual([]);
});
