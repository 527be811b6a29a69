import { instantMs } from "@tutti/base";
import { addMetrics, initialParameters, noMetrics, type BatchSource, type Trainer } from "@tutti/engine";
import { nodeEngines } from "@tutti/engine/node";
import { taskFromDocument } from "@tutti/rounds";
import { expect, test } from "vitest";
import { openPopulation } from "./open-population.ts";
import type { Person } from "./population.ts";
import { syntheticWatchTask } from "./synthetic-watch-task.ts";

const ports = { pause: async () => {}, now: () => instantMs(0) };

function checkedTask() {
  const task = taskFromDocument(syntheticWatchTask);
  if (!task.ok) throw new Error(JSON.stringify(task.error));
  return task.value;
}

test("the demo's task is valid, and 12 devices can fill a round of it, one of them vanishing", () => {
  const { name, rounds, evaluation } = checkedTask();
  expect(name).toBe("watch-activity");
  expect(Math.ceil(rounds.goalCount * Number(rounds.overSelection))).toBeLessThanOrEqual(12);
  expect(rounds.goalCount).toBeLessThanOrEqual(11);
  // There are 12 held-out people.
  expect(evaluation?.goalCount).toBeLessThanOrEqual(12);
});

/** FedAvg without a network, clipping left out: `goalCount` people after the other train from the mean of the round before. */
async function trainedModel(trainer: Trainer, training: readonly BatchSource[], { start, roundCount }: { readonly start: Float32Array; readonly roundCount: number }): Promise<Float32Array> {
  const { job, rounds } = checkedTask();
  let parameters = start;
  for (let round = 0; round < roundCount; round++) {
    const sum = new Float64Array(start.length);
    let weight = 0;
    for (let slot = 0; slot < rounds.goalCount; slot++) {
      const examples = training[(7 * (round * rounds.goalCount + slot)) % training.length];
      if (examples === undefined) throw new Error("everyone has examples");
      const { delta } = await trainer.train({ ...job, start: parameters, shuffleSeed: slot, correction: null }, examples);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + examples.exampleCount * (delta[i] ?? 0);
      weight += examples.exampleCount;
    }
    parameters = parameters.map((value, i) => value + (sum[i] ?? 0) / weight);
  }
  return parameters;
}

async function accuracyOf(trainer: Trainer, parameters: Float32Array, people: readonly BatchSource[]): Promise<number> {
  let sums = noMetrics;
  for (const examples of people) sums = addMetrics(sums, await trainer.evaluate(parameters, examples));
  return sums.correctCount / sums.predictionCount;
}

test("people who never trained are recognised after ten rounds, and not after the first", async () => {
  const { model, data } = checkedTask();
  const { people } = await openPopulation({ kind: "synthetic", collection: data.collection, seed: 1, trainingCountMin: 0 });
  const examplesOf = (cohort: Person["cohort"]): readonly BatchSource[] => people.filter((person) => person.cohort === cohort).slice(0, 30).map(({ examples }) => examples());
  // Half of those who train are enough here.
  const [training, heldOut] = [examplesOf("training"), examplesOf("held-out")];
  const trainer = await nodeEngines(ports, "deterministic")[0].compile(model, { maxBatch: 64, numerics: "deterministic" });
  const first = await trainedModel(trainer, training, { start: initialParameters(model, 1), roundCount: 1 });
  // Always WALKING would be right in 44 of 100 windows.
  expect(await accuracyOf(trainer, first, heldOut)).toBeLessThan(0.85);
  const tenth = await trainedModel(trainer, training, { start: first, roundCount: 9 });
  expect(await accuracyOf(trainer, tenth, heldOut)).toBeGreaterThan(0.9);
  trainer.dispose();
});
