import { instantMs } from "@tutti/base";
import { addMetrics, initialParameters, noMetrics, type BatchSource, type MetricSums, type Trainer } from "@tutti/engine";
import { nodeEngines } from "@tutti/engine/node";
import type { TaskDocument } from "@tutti/protocol";
import { taskFromDocument, type Task } from "@tutti/rounds";
import { openPopulation, partitioned, simulate, type Person, type Population, type PopulationSource, type SimulationResult } from "@tutti/simulator";
import { basename, dirname } from "node:path";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { requiresData } from "../test/support/requires.ts";
import heartRate from "./heart-rate/task.ts";
import mnist2nn from "./mnist-2nn/task.ts";
import mnistWriters from "./mnist-writers/task.ts";
import watch from "./watch/task.ts";

const documents: Readonly<Record<string, TaskDocument>> = { "heart-rate": heartRate, "mnist-2nn": mnist2nn, "mnist-writers": mnistWriters, watch };

function checked(document: TaskDocument): Task {
  const task = taskFromDocument(document);
  if (!task.ok) throw new Error(JSON.stringify(task.error));
  return task.value;
}

test("every task of the examples is tested here, is valid and names itself once", () => {
  const folders = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((path) => basename(path) === "task.ts").map(dirname);
  expect(folders.toSorted()).toEqual(Object.keys(documents).toSorted());
  const names = Object.values(documents).map((document) => checked(document).name);
  expect(names).toEqual(["heart-rate", "mnist-2nn", "mnist-writers", "watch-activity"]);
});

type People = { readonly training: readonly BatchSource[]; readonly heldOut: readonly BatchSource[] };

/** The people of a source, who must hold the collection that the task asks for, in numbers that fill its rounds. */
async function peopleOf({ data, rounds, evaluation }: Task, source: PopulationSource): Promise<People> {
  const { collection, schemaVersion, people } = await openPopulation(source);
  expect({ collection, schemaVersion }).toEqual({ collection: data.collection, schemaVersion: data.schemaVersion });
  const of = (cohort: Person["cohort"]): readonly BatchSource[] => people.filter((person) => person.cohort === cohort).map(({ examples }) => examples());
  const [training, heldOut] = [of("training"), of("held-out")];
  expect([...training, ...heldOut].every(({ exampleCount }) => exampleCount >= data.examplesMin && exampleCount <= data.examplesMax)).toBe(true);
  expect(training.length).toBeGreaterThan(rounds.goalCount * Number(rounds.overSelection));
  expect(heldOut.length).toBeGreaterThanOrEqual(evaluation?.goalCount ?? 1);
  return { training, heldOut };
}

type Run = { readonly trainer: Trainer; readonly task: Task; readonly people: People };

async function runOf(document: TaskDocument, source: PopulationSource): Promise<Run> {
  const task = checked(document);
  const ports = { pause: async () => {}, now: () => instantMs(0) };
  const trainer = await nodeEngines(ports, "deterministic")[0].compile(task.model, { maxBatch: 64, numerics: "deterministic" });
  return { trainer, task, people: await peopleOf(task, source) };
}

const synthetic = (document: TaskDocument): PopulationSource => ({ kind: "synthetic", collection: document.data.collection, seed: 1, trainingCountMin: 0 });

/** FedAvg as the paper's loop, without a network and without clipping, which none of these rounds needs: [parameters]. */
async function federated({ trainer, task: { model, job, rounds }, people: { training } }: Run, roundCount: number): Promise<Float32Array> {
  let parameters = initialParameters(model, 1);
  for (let round = 0; round < roundCount; round++) {
    const sum = new Float64Array(parameters.length);
    let weight = 0;
    for (let slot = 0; slot < rounds.goalCount; slot++) {
      // 7 shares no factor with 18, 60 or 539 people: every round has others.
      const examples = training[(7 * (round * rounds.goalCount + slot)) % training.length];
      if (examples === undefined) throw new Error("everyone has examples");
      const { delta } = await trainer.train({ ...job, start: parameters, shuffleSeed: round * rounds.goalCount + slot, correction: null }, examples);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + examples.exampleCount * (delta[i] ?? 0);
      weight += examples.exampleCount;
    }
    parameters = parameters.map((value, i) => value + (sum[i] ?? 0) / weight);
  }
  return parameters;
}

async function evaluated({ trainer, people: { heldOut } }: Run, parameters: Float32Array): Promise<MetricSums> {
  let sums = noMetrics;
  for (const examples of heldOut) sums = addMetrics(sums, await trainer.evaluate(parameters, examples));
  return sums;
}

const accuracy = ({ correctCount, predictionCount }: MetricSums): number => correctCount / predictionCount;

test("the watch example recognises what 5 real people do whose watches never trained", async (context) => {
  const run = await runOf(watch, { kind: "folder", path: requiresData(context, "har_phone_watch") });
  const roundCount = run.task.stop.rounds ?? 0;
  // Ten seeds of the whole task ended at 88.5 to 91.0 %; 87.5 % leaves room for the order of the people here.
  expect(accuracy(await evaluated(run, await federated(run, roundCount)))).toBeGreaterThan(0.875);
});

test("the watch example learns from synthetic watches too, as one collection fits both", async () => {
  const run = await runOf(watch, synthetic(watch));
  expect(accuracy(await evaluated(run, await federated(run, 15)))).toBeGreaterThan(0.9);
});

test("the heart-rate example is off by less than half of what the mean of all is", async () => {
  const run = await runOf(heartRate, synthetic(heartRate));
  const { training, heldOut } = run.people;
  const rates = (people: readonly BatchSource[]) => people.flatMap(({ targets }) => [...targets]);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const guess = mean(rates(training));
  const offOfGuess = mean(rates(heldOut).map((rate) => Math.abs(rate - guess)));
  const { absoluteErrorSum, predictionCount } = await evaluated(run, await federated(run, 10));
  expect(absoluteErrorSum / predictionCount).toBeLessThan(0.5 * offOfGuess);
});

test("the mnist-writers example reads the digits of writers who never trained", async (context) => {
  const run = await runOf(mnistWriters, { kind: "folder", path: requiresData(context, "mnist") });
  // Measured 91.8 and 90.9 % for two seeds.
  expect(accuracy(await evaluated(run, await federated(run, 10)))).toBeGreaterThan(0.87);
});

/** The whole product on virtual time: coordinator, devices and rounds as they ship. */
async function simulation(document: TaskDocument, population: Population, workerCount: number): Promise<SimulationResult & { readonly accuracy: number }> {
  let accuracyAtEnd = Number.NaN;
  const result = await simulate({ document, population, seed: 1, workerCount, interrupted: new AbortController().signal, onEvent: (event) => {
    if (event.kind === "round-committed" && event.roundKind === "evaluate") accuracyAtEnd = event.metrics.correct / event.metrics.count;
  } });
  return { ...result, accuracy: accuracyAtEnd };
}

test("in a simulation the mnist-writers example reads the digits of writers who never trained", async (context) => {
  const population = await openPopulation({ kind: "folder", path: requiresData(context, "mnist") });
  // Measured 92.6 %.
  expect((await simulation({ ...mnistWriters, stop: { rounds: 10 } }, population, 2)).accuracy).toBeGreaterThan(0.87);
});

/** McMahan's 100 clients of 600. */
async function iidDigits(path: string): Promise<Population> {
  return partitioned(await openPopulation({ kind: "folder", path }), { kind: "iid", clientCount: 100, heldOutClientCount: 10 }, 1);
}

test("McMahan's 2NN reaches 97 % of MNIST's test digits within 130 rounds, where the paper took 87", async (context) => {
  const { stoppedBy, modelVersion, accuracy: reached } = await simulation(mnist2nn, await iidDigits(requiresData(context, "mnist")), 2);
  expect(stoppedBy).toBe("target");
  expect(reached).toBeGreaterThanOrEqual(0.97);
  // Measured 31.
  expect(modelVersion).toBeLessThanOrEqual(130);
});

test("two rounds of the 2NN on real digits give the same model with one worker and with two", async (context) => {
  const population = await iidDigits(requiresData(context, "mnist"));
  const document = { ...mnist2nn, stop: { rounds: 2 } };
  const [one, two] = [await simulation(document, population, 1), await simulation(document, population, 2)];
  expect(two).toEqual(one);
});
