import { taskFromDocument } from "@tutti/rounds";
import { expect, test } from "vitest";
import type { Population } from "../population.ts";
import { syntheticWatchTask } from "../synthetic-watch-task.ts";
import { dataSummary } from "./data-summary.ts";
import { taskView } from "./task-view.ts";

function population(counts: readonly number[], heldOut: readonly number[], numbers = 384): Population {
  const person = (cohort: "training" | "held-out") => (exampleCount: number, i: number) =>
    ({ id: `${cohort}${i}`, cohort, examples: () => ({ exampleCount, inputs: new Float32Array(numbers * exampleCount), targets: Int32Array.from({ length: exampleCount }, (_, at) => at % 3) }) });
  return { description: "made up", collection: "watch-windows", schemaVersion: 1, people: [...counts.map(person("training")), ...heldOut.map(person("held-out"))] };
}

function watchTask() {
  const task = taskFromDocument(syntheticWatchTask);
  if (!task.ok) throw new Error(JSON.stringify(task.error));
  return task.value;
}

test("a summary counts clients, examples and labels of both cohorts", () => {
  expect(dataSummary(population([4, 2, 9], [3]))).toEqual({
    description: "made up", collection: "watch-windows", schemaVersion: 1, numbersPerExample: 384,
    // Labels 0 1 2 0 | 0 1 | 0 1 2 0 1 2 0 1 2
    training: { clientCount: 3, exampleCount: 15, examplesPerClient: { min: 2, median: 4, max: 9 }, labels: { kind: "classes", counts: [{ label: 0, count: 6 }, { label: 1, count: 5 }, { label: 2, count: 4 }] } },
    heldOut: { clientCount: 1, exampleCount: 3, examplesPerClient: { min: 3, median: 3, max: 3 }, labels: { kind: "classes", counts: [{ label: 0, count: 1 }, { label: 1, count: 1 }, { label: 2, count: 1 }] } },
  });
});

test("values have a range, and no clients have no labels", () => {
  const { people, ...rest } = population([], []);
  const summary = dataSummary({ ...rest, people: [...people, { id: "a", cohort: "training", examples: () => ({ exampleCount: 2, inputs: new Float32Array(2), targets: Float32Array.of(-1, 2) }) }] });
  expect([summary.training.labels, summary.heldOut.labels]).toEqual([{ kind: "values", min: -1, mean: 0.5, max: 2 }, { kind: "none" }]);
});

test("a task sees the clients with enough examples, and of each no more than its limit", () => {
  // The watch task takes 20 to 1000 examples, 10 clients a round, 12 held out of which half must report.
  const view = taskView(watchTask(), population([19, 20, 1200, ...Array.from({ length: 8 }, () => 100)], Array.from({ length: 6 }, () => 30)));
  expect(view).toEqual({ faults: [], training: { eligibleCount: 10, seenCount: 20 + 1000 + 800, leftOutCount: 200 }, heldOut: { eligibleCount: 6, seenCount: 180, leftOutCount: 0 } });
});

test("every reason why a task cannot run on the data is a sentence", () => {
  const { faults } = taskView(watchTask(), { ...population([100], [30], 7), collection: "points" });
  expect(faults).toEqual([
    "the task reads the collection watch-windows, version 1; the data is points, version 1",
    "the model takes 384 numbers for each example; the data holds 7",
    "a round needs 10 reports; 1 clients train with at least 20 examples",
    "an evaluation needs 6 reports; 1 clients are held out with at least 20 examples",
  ]);
});
