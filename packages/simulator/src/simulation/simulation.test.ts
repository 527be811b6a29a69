import { SeededRandom } from "@tutti/base";
import type { CoordinatorEvent } from "@tutti/coordinator";
import { taskName, type TaskDocument } from "@tutti/protocol";
import { expect, test } from "vitest";
import type { Population } from "../population.ts";
import { simulate, type SimulationResult } from "./simulation.ts";

const document: TaskDocument = {
  name: taskName("line"),
  description: "On which side of a line a point lies",
  start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [2] }, target: { kind: "classes", shape: [], classCount: 2 },
    layers: [{ name: "hidden", kind: "dense", units: 8 }, { name: "relu", kind: "relu" }, { name: "out", kind: "dense", units: 2 }],
    loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 4, epochCount: 2, optimizer: { kind: "sgd", learningRate: 0.5 } },
  data: { collection: "points", schemaVersion: 1, examplesMin: 5, examplesMax: 100 },
  round: { goalCount: 4, overSelection: 1.5, selectionWindowMs: 60_000, selectionFractionMin: 0.5, reportingWindowMs: 60_000, reportingFractionMin: 1 },
  eligibility: { conditions: ["charging"], minSeparation: 1 },
  heldOutFraction: 0.2,
  sum: { kind: "plain", because: "a test", clipNorm: 5, weightMax: 50 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 },
  durability: "checkpoint",
  evaluation: { everyRounds: 2, goalCount: 3, windowMs: 60_000, fractionMin: 1 },
  stop: { rounds: 6 },
};

/** 12 people who train, one of them with too few examples, and 3 who do not. */
function points(): Population {
  const people = Array.from({ length: 15 }, (_, i) => ({
    id: `p${i}`, cohort: i < 12 ? ("training" as const) : ("held-out" as const), examples: () => {
      const random = SeededRandom.from(100 + i);
      const exampleCount = i === 0 ? 2 : 10 + random.below(20);
      const inputs = Float32Array.from({ length: 2 * exampleCount }, () => 2 * random.uniform() - 1);
      return { exampleCount, inputs, targets: Int32Array.from({ length: exampleCount }, (_unused, at) => Number((inputs[2 * at] ?? 0) > (inputs[2 * at + 1] ?? 0))) };
    },
  }));
  return { description: "points", collection: "points", schemaVersion: 1, people };
}

type Run = SimulationResult & { readonly events: readonly CoordinatorEvent[] };

async function run(seed: number, workerCount: number, changes: Partial<TaskDocument> = {}, interrupted = new AbortController().signal): Promise<Run> {
  const events: CoordinatorEvent[] = [];
  const result = await simulate({ document: { ...document, ...changes }, population: points(), seed, workerCount, onEvent: (event) => events.push(event), interrupted });
  return { ...result, events };
}

test("the same seed gives the same events and the same model with one thread and with three, and another seed another model", async () => {
  const [one, three, other] = [await run(1, 1), await run(1, 3), await run(2, 3)];
  expect(three).toEqual(one);
  expect(one.stoppedBy).toBe("rounds");
  expect(other.modelHash).not.toBe(one.modelHash);
});

test("people who never train are right about more points than before, and every round counts its goal alone", async () => {
  const { events, modelVersion, wire } = await run(3, 2);
  const committed = events.filter((event) => event.kind === "round-committed");
  expect(committed.filter(({ roundKind }) => roundKind === "train").map(({ counts }) => counts.reported)).toEqual([4, 4, 4, 4, 4, 4]);
  expect(modelVersion).toBe(6);
  const { message, count, sentBytes } = wire.find((kind) => kind.message === "report") ?? {};
  // 6 training rounds of 4 reports, and those of 3 evaluations by 3; a delta has 42 numbers: 2 · 8 + 8 + 8 · 2 + 2.
  expect([message, count]).toEqual(["report", 6 * 4 + 3 * 3]);
  expect(sentBytes).toBeGreaterThan(4 * 42 * 6 * 4);
  const accuracies = committed.filter(({ roundKind }) => roundKind === "evaluate").map(({ metrics }) => metrics.correct / metrics.count);
  expect(accuracies).toHaveLength(3);
  expect(accuracies.at(-1)).toBeGreaterThan(0.85);
});

test("a person with too few examples declines, and another one is woken in their place", async () => {
  // All eleven others are needed in each round; the twelfth is asked too, and declines.
  const { events, participationCount } = await run(1, 1, { round: { ...document.round, goalCount: 11, overSelection: 1, selectionFractionMin: 1 }, stop: { rounds: 2 } });
  const trained = events.filter((event) => event.kind === "round-committed" && event.roundKind === "train");
  expect(trained.map((event) => ("counts" in event ? event.counts.reported : 0))).toEqual([11, 11]);
  expect(participationCount).toBeGreaterThanOrEqual(22 + 3);
});

test("a task that nobody can fill ends with why, not after all its windows", async () => {
  const starving = run(1, 1, { data: { ...document.data, examplesMin: 100 } });
  await expect(starving).rejects.toMatchObject({ name: "DataSetError" });
  await expect(starving).rejects.toThrow("5 rounds in a row were abandoned (too-few-devices): of 0 devices in the last one 0 reported; the last that did not: declined");
});

test("examples that the model cannot take end it with the engine's words", async () => {
  await expect(run(1, 1, { model: { ...(document.model as object), input: { kind: "features", shape: [3] } } })).rejects.toThrow("inputs hold exampleCount x 3 numbers");
});

test("an interrupted simulation gives the model that it had", async () => {
  const interrupt = new AbortController();
  const events: CoordinatorEvent[] = [];
  const result = await simulate({ document, population: points(), seed: 1, workerCount: 1, interrupted: interrupt.signal, onEvent: (event) => {
    events.push(event);
    if (event.kind === "round-committed" && event.round === 1) interrupt.abort();
  } });
  expect(result.stoppedBy).toBeNull();
  expect(result.modelVersion).toBe(2);
  expect(events.some(({ kind }) => kind === "task-stopped")).toBe(false);
});
