import { SeededRandom, type Bytes } from "@tutti/base";
import { systemRandom } from "@tutti/base/node";
import { addToSum, sumGridOf } from "@tutti/learning";
import { assignmentId, bytesFromFloat32, encodeSafetensors, populationName, roundId, taskName, type AssignmentId, type SumClause } from "@tutti/protocol";
import fc from "fast-check";
import { createSecretKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ManualClock, settled } from "../test/manual-clock.ts";
import { reportFile, someMetrics, type ReportParts } from "../test/report-file.ts";
import { stagingBytesMax, worldFailureRetryMs } from "../limits.ts";
import { StoreFullError } from "../store/store.ts";
import { CheckpointCorruptError, createAggregator } from "./aggregator.ts";
import type { CheckpointFiles } from "./checkpoint-files.ts";
import { memoryCheckpointFiles } from "./memory-checkpoint-files.ts";
import { BodyOverrunError, type ReportOutcome, type RoundSum, type RoundSumOptions, type Upload } from "./round-sum.ts";

const parameterCount = 5;
const round = roundId(populationName("demo"), taskName("watch"), 7);
const clause: SumClause = { kind: "plain", because: "a test", clipNorm: 2, weightMax: 10 };
const slotOf = (slot: number): AssignmentId => assignmentId(round, slot);

function optionsOf(changes: Partial<RoundSumOptions> = {}): RoundSumOptions {
  return {
    round, parameterCount, clause, reportsMax: 30, durability: "checkpoint", onCounted: () => undefined,
    sumKey: new Uint8Array(32).fill(1), fingerprintKey: createSecretKey(new Uint8Array(32).fill(2)), ...changes,
  };
}

type Bench = { readonly sum: RoundSum; readonly clock: ManualClock };

async function bench(options: Partial<RoundSumOptions> = {}, files: CheckpointFiles = memoryCheckpointFiles()): Promise<Bench> {
  const clock = new ManualClock();
  return { clock, sum: await createAggregator({ clock, random: systemRandom, files }).open(optionsOf(options)) };
}

function begun(sum: RoundSum, slot: number, bodyBytes: number): Upload {
  const upload = sum.beginUpload({ assignment: slotOf(slot), slot, bodyBytes });
  if ("code" in upload) throw new Error(upload.code);
  return upload;
}

function send(sum: RoundSum, slot: number, file: Bytes): Promise<ReportOutcome> {
  const upload = begun(sum, slot, file.length);
  // In two chunks, cut where a float is cut too.
  upload.write(file.subarray(0, 101));
  upload.write(file.subarray(101));
  return upload.finish();
}

async function counted({ sum, clock }: Bench, slot: number, file: Bytes): Promise<ReportOutcome> {
  const outcome = send(sum, slot, file);
  // A rejection waits for whoever asked, also while the clock moves.
  outcome.catch(() => undefined);
  await clock.advance(50);
  return outcome;
}

const fileOf = (slot: number, parts: Partial<ReportParts> = {}): Bytes => reportFile({ assignment: slotOf(slot), delta: Float32Array.of(0.5, -0.25, 0, 0.125, 1), ...parts });
const bitsOf = (vector: Float64Array): BigInt64Array => new BigInt64Array(Float64Array.from(vector).buffer);
const refusal = (code: string): object => ({ kind: "refused", refusal: expect.objectContaining({ code }) as object });

describe("a sum", () => {
  test("is that of learning's loop over the same reports, in any order, to the last bit", async () => {
    await fc.assert(fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 12 }), async (seed, count) => {
      const random = SeededRandom.from(seed);
      const one = await bench();
      const expected = new Float64Array(parameterCount);
      const grid = sumGridOf({ clipNorm: clause.clipNorm, weightMax: clause.weightMax, reportsMax: 30 });
      let weights = 0;
      for (const slot of random.permutation(count)) {
        const delta = Float32Array.from({ length: parameterCount }, () => (random.uniform() - 0.5) * 2 ** -random.below(30));
        const examples = 1 + random.below(20);
        expect(await counted(one, slot, fileOf(slot, { delta, examples }))).toEqual({ kind: "counted" });
        addToSum(expected, delta, { weight: Math.min(examples, clause.weightMax), grid });
        weights += Math.min(examples, clause.weightMax);
      }
      const closed = await one.sum.close();
      expect(bitsOf(closed.vector)).toEqual(bitsOf(expected));
      expect(closed.weight).toBe(weights);
      expect(closed.metrics).toEqual({ count: 4 * count, lossSum: 2.5 * count, correct: 3 * count, absoluteErrorSum: 0 });
      expect(closed.reports.size).toBe(count);
    }), { numRuns: 30 });
  });

  test("of a round that evaluates has metrics and no vector", async () => {
    const one = await bench({ parameterCount: 0 });
    const file = reportFile({ assignment: slotOf(1), delta: null });
    const upload = begun(one.sum, 1, file.length);
    upload.write(file);
    const outcome = upload.finish();
    await one.clock.advance(50);
    expect(await outcome).toEqual({ kind: "counted" });
    const closed = await one.sum.close();
    expect([closed.vector.length, closed.metrics]).toEqual([0, someMetrics]);
  });

  test("is not touched by an upload that breaks off, is too long or ends early", async () => {
    const one = await bench();
    const file = fileOf(1);
    const broken = begun(one.sum, 1, file.length);
    broken.write(file.subarray(0, 60));
    broken.discard();
    const long = begun(one.sum, 1, file.length);
    long.write(file);
    expect(() => long.write(Uint8Array.of(1))).toThrow(BodyOverrunError);
    long.discard();
    const short = begun(one.sum, 1, file.length);
    short.write(file.subarray(0, -1));
    expect(await short.finish()).toEqual(refusal("malformed"));
    const closed = await one.sum.close();
    expect([...closed.vector, closed.weight, closed.reports.size]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test("gives its staging memory back however an upload ends, and refuses more than there is", async () => {
    const one = await bench({ parameterCount: 30_000_000 });
    const bodyBytes = 120_000_400;
    const uploads = Array.from({ length: Math.floor(stagingBytesMax / bodyBytes) }, (_, slot) => begun(one.sum, slot, bodyBytes));
    expect(one.sum.beginUpload({ assignment: slotOf(9), slot: 9, bodyBytes })).toEqual({ code: "overloaded" });
    const [first, second] = uploads;
    first?.discard();
    first?.discard();
    expect(await second?.finish()).toEqual(refusal("malformed"));
    expect(begun(one.sum, 9, bodyBytes)).toBeDefined();
    expect(begun(one.sum, 10, bodyBytes)).toBeDefined();
    expect(one.sum.beginUpload({ assignment: slotOf(11), slot: 11, bodyBytes })).toEqual({ code: "overloaded" });
  });
});

describe("a report", () => {
  test("is acknowledged only when a checkpoint that holds it is durable, and told of once", async () => {
    const files = memoryCheckpointFiles();
    const gate = Promise.withResolvers<undefined>();
    const told: number[] = [];
    const slow: CheckpointFiles = { ...files, write: (...args) => gate.promise.then(() => files.write(...args)) };
    const { sum, clock } = await bench({ onCounted: (slot) => told.push(slot) }, slow);
    let isAcknowledged = false;
    const outcome = send(sum, 1, fileOf(1)).then((value) => {
      isAcknowledged = true;
      return value;
    });
    await clock.advance(1000);
    expect([isAcknowledged, told, sum.countedCount, sum.has(1)]).toEqual([false, [], 0, true]);
    gate.resolve(undefined);
    expect(await outcome).toEqual({ kind: "counted" });
    await settled();
    expect([told, sum.countedCount]).toEqual([[1], 1]);
    expect(await counted({ sum, clock }, 1, fileOf(1))).toEqual({ kind: "counted" });
    expect(told).toEqual([1]);
  });

  test("sent again is counted once, and another one for the same slot is refused", async () => {
    const one = await bench();
    const both = [send(one.sum, 1, fileOf(1)), send(one.sum, 1, fileOf(1))];
    await one.clock.advance(50);
    expect(await Promise.all(both)).toEqual([{ kind: "counted" }, { kind: "counted" }]);
    expect(await counted(one, 1, fileOf(1, { examples: 5 }))).toEqual({ kind: "refused", refusal: { code: "report-conflict" } });
    const closed = await one.sum.close();
    expect([closed.weight, closed.vector[0]]).toEqual([4, 2]);
    expect(await send(one.sum, 1, fileOf(1))).toEqual({ kind: "counted" });
    expect(await send(one.sum, 2, fileOf(2))).toEqual({ kind: "refused", refusal: { code: "round-closed" } });
  });

  const other = assignmentId(roundId(populationName("demo"), taskName("watch"), 8), 1);
  const tensor = (changes: object) => encodeSafetensors([{ name: "delta", type: "F32", shape: [5], bytes: bytesFromFloat32(new Float32Array(5)), ...changes }], { report: "{}" });
  test.each([
    ["with NaN", fileOf(1, { delta: Float32Array.of(0, Number.NaN, 0, 0, 0) }), "report-not-finite"],
    ["with infinity", fileOf(1, { delta: Float32Array.of(0, 0, 0, 0, Number.NEGATIVE_INFINITY) }), "report-not-finite"],
    ["beyond the clip norm", fileOf(1, { delta: Float32Array.of(2.001, 0, 0, 0, 0) }), "report-out-of-range"],
    ["with metrics beyond their bound", fileOf(1, { metrics: { ...someMetrics, lossSum: 2 ** 33 } }), "report-out-of-range"],
    ["with negative counts", fileOf(1, { metrics: { ...someMetrics, count: -1 } }), "malformed"],
    ["about no example", fileOf(1, { examples: 0 }), "malformed"],
    ["of another round", fileOf(1, { assignment: other }), "malformed"],
    ["with a longer delta in a body of the same length", tensor({ shape: [6], bytes: new Uint8Array(24) }), "malformed"],
    ["of another type", tensor({ type: "U32" }), "malformed"],
    ["under another name", tensor({ name: "weights" }), "malformed"],
    ["with two tensors", encodeSafetensors(["delta", "more"].map((name) => ({ name, type: "F32" as const, shape: [5], bytes: new Uint8Array(20) })), {}), "malformed"],
    ["that is no safetensors file", new Uint8Array(200).fill(0xff), "malformed"],
  ])("%s is refused and changes nothing", async (_name, file, code) => {
    const one = await bench();
    expect(await counted(one, 1, file)).toEqual(refusal(code));
    expect(one.sum.has(1)).toBe(false);
    const closed = await one.sum.close();
    expect([...closed.vector, closed.weight, closed.metrics.count]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test.each([20, 27, 100_000])("whose length of %d bytes cannot be right is refused before it is read", async (bodyBytes) => {
    const { sum } = await bench();
    expect(sum.beginUpload({ assignment: slotOf(1), slot: 1, bodyBytes })).toMatchObject({ code: "report-wrong-length" });
  });
});

describe("checkpoints", () => {
  test("that cannot be written refuse the report, and the same bytes are counted once when there is room again", async () => {
    const files = memoryCheckpointFiles();
    let isFull = true;
    const told: number[] = [];
    const tight: CheckpointFiles = { ...files, write: (...args) => (isFull ? Promise.reject(new StoreFullError("full")) : files.write(...args)) };
    const one = await bench({ onCounted: (slot) => told.push(slot) }, tight);
    await expect(counted(one, 1, fileOf(1))).rejects.toThrow(StoreFullError);
    expect([one.sum.countedCount, told]).toEqual([0, []]);
    await expect(one.sum.close()).rejects.toThrow(StoreFullError);
    isFull = false;
    expect(await counted(one, 1, fileOf(1))).toEqual({ kind: "counted" });
    const closed = await one.sum.close();
    expect([closed.weight, told]).toEqual([4, [1]]);
  });

  test("that could not be written are tried again by themselves, until there is room or the sum is let go", async () => {
    const files = memoryCheckpointFiles();
    let isFull = true;
    let tries = 0;
    const told: number[] = [];
    const tight: CheckpointFiles = { ...files, write: (...args) => {
      tries++;
      return isFull ? Promise.reject(new StoreFullError("full")) : files.write(...args);
    } };
    const one = await bench({ onCounted: (slot) => told.push(slot) }, tight);
    await expect(counted(one, 1, fileOf(1))).rejects.toThrow(StoreFullError);
    for (let i = 0; i < 3; i++) {
      await one.clock.advance(worldFailureRetryMs);
      await one.clock.advance(50);
    }
    expect([tries, told]).toEqual([4, []]);
    isFull = false;
    await one.clock.advance(worldFailureRetryMs);
    await one.clock.advance(50);
    expect([told, one.sum.countedCount]).toEqual([[1], 1]);

    isFull = true;
    await expect(counted(one, 2, fileOf(2))).rejects.toThrow(StoreFullError);
    const before = tries;
    one.sum.letGo();
    await one.clock.advance(10 * worldFailureRetryMs);
    expect(tries).toBe(before);
  });

  test("find the acknowledged reports again after a crash at any moment of any write, and nothing half", async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.double({ min: 0, max: 0.999, noNaN: true }), async (crashAt, part) => {
      const disk = new Map<number, Uint8Array>();
      let writes = 0;
      // The write at which the machine dies leaves a part of its bytes, over what was there.
      const dying: CheckpointFiles = {
        ...memoryCheckpointFiles(),
        read: () => Promise.resolve([disk.get(0), disk.get(1)]),
        write: (_round, place, parts) => {
          const whole = new Uint8Array(Buffer.concat(parts));
          const isTorn = ++writes === crashAt;
          disk.set(place, isTorn ? whole.slice(0, Math.floor(part * whole.length)) : whole);
          return isTorn ? Promise.reject(new Error("the machine died")) : Promise.resolve();
        },
      };
      const before = await bench({}, dying);
      const acknowledged: number[] = [];
      for (let slot = 0; slot < crashAt; slot++) {
        const outcome = counted(before, slot, fileOf(slot)).then(() => acknowledged.push(slot), () => undefined);
        await outcome;
      }
      const after = await bench({}, dying);
      const closed = await after.sum.close();
      expect([...closed.reports.keys()]).toEqual(acknowledged);
      expect(acknowledged).toHaveLength(crashAt - 1);
      expect([...closed.vector]).toEqual([0.5, -0.25, 0, 0.125, 1].map((value) => 4 * value * acknowledged.length + 0));
      // The device of the torn one sends again.
      const resumed = await bench({}, dying);
      expect(await counted(resumed, crashAt - 1, fileOf(crashAt - 1))).toEqual({ kind: "counted" });
      expect((await resumed.sum.close()).weight).toBe(4 * crashAt);
    }), { numRuns: 40 });
  });

  test("of which both were changed are not taken for an empty sum", async () => {
    const files = memoryCheckpointFiles();
    const one = await bench({}, files);
    for (const slot of [0, 1]) await counted(one, slot, fileOf(slot));
    for (const place of [0, 1] as const) await files.write(round, place, [new Uint8Array(100)]);
    await expect(bench({}, files)).rejects.toThrow(CheckpointCorruptError);
  });

  test("are shared by the reports of one delay, and gone after the round", async () => {
    const files = memoryCheckpointFiles();
    let writes = 0;
    const counting: CheckpointFiles = { ...files, write: (...args) => {
      writes++;
      return files.write(...args);
    } };
    const one = await bench({}, counting);
    const outcomes = Array.from({ length: 20 }, (_, slot) => send(one.sum, slot, fileOf(slot)));
    await one.clock.advance(50);
    expect((await Promise.all(outcomes)).every(({ kind }) => kind === "counted")).toBe(true);
    expect(writes).toBe(1);
    await one.sum.close();
    await one.sum.discard();
    expect(await files.read(round)).toEqual([undefined, undefined]);
  });

  test("are left out where a task keeps its sum in memory", async () => {
    const files = memoryCheckpointFiles();
    const one = await bench({ durability: "memory" }, files);
    expect(await send(one.sum, 1, fileOf(1))).toEqual({ kind: "counted" });
    expect(one.sum.countedCount).toBe(1);
    await one.clock.advance(5000);
    expect(await files.read(round)).toEqual([undefined, undefined]);
  });
});
