import type { Model } from "@tutti/engine";
import type { Task } from "@tutti/rounds";
import type { Person, Population } from "../population.ts";

/** What a task would see of a data set. */
export type TaskView = {
  /** Why the task cannot run on it, each in a sentence; none where it can. */
  readonly faults: readonly string[];
  readonly training: CohortView;
  readonly heldOut: CohortView;
};

export type CohortView = {
  /** Clients that hold enough examples to take part. */
  readonly eligibleCount: number;
  /** Examples that their devices would use, and those that they leave out beyond the task's `examplesMax`. */
  readonly seenCount: number;
  readonly leftOutCount: number;
};

/** Looks at a data set as the task's devices and rounds would. */
export function taskView(task: Task, { people, collection, schemaVersion }: Population): TaskView {
  const training = cohortView(task, people.filter(({ cohort }) => cohort === "training"));
  const heldOut = cohortView(task, people.filter(({ cohort }) => cohort === "held-out"));
  const { data, rounds, evaluation } = task;
  const faults = [
    ...(data.collection === collection && data.schemaVersion === schemaVersion ? [] : [`the task reads the collection ${data.collection}, version ${data.schemaVersion}; the data is ${collection}, version ${schemaVersion}`]),
    ...shapeFaults(task.model, people[0]),
    ...(training.eligibleCount >= rounds.goalCount ? [] : [`a round needs ${rounds.goalCount} reports; ${training.eligibleCount} clients train with at least ${data.examplesMin} examples`]),
    ...(evaluation === null || heldOut.eligibleCount >= evaluation.goalCount * evaluation.fractionMin ? [] : [`an evaluation needs ${Math.ceil(evaluation.goalCount * evaluation.fractionMin)} reports; ${heldOut.eligibleCount} clients are held out with at least ${data.examplesMin} examples`]),
  ];
  return { faults, training, heldOut };
}

function cohortView({ data }: Task, people: readonly Person[]): CohortView {
  const eligible = people.map(({ examples }) => examples().exampleCount).filter((count) => count >= data.examplesMin);
  const seen = eligible.map((count) => Math.min(count, data.examplesMax));
  const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  return { eligibleCount: eligible.length, seenCount: sumOf(seen), leftOutCount: sumOf(eligible) - sumOf(seen) };
}

function shapeFaults({ input, target }: Model, first: Person | undefined): readonly string[] {
  if (first === undefined) return [];
  const { exampleCount, inputs, targets } = first.examples();
  const expected = input.kind === "tokens" ? input.length : elementCount(input.shape);
  const found = inputs.length / exampleCount;
  const isClasses = targets instanceof Int32Array;
  return [
    ...(found === expected ? [] : [`the model takes ${expected} numbers for each example; the data holds ${found}`]),
    ...(isClasses === (target.kind === "classes") ? [] : [`the model is for ${target.kind}; the data holds ${isClasses ? "classes" : "values"}`]),
    ...(targets.length / exampleCount === elementCount(target.shape) ? [] : [`the model gives ${elementCount(target.shape)} numbers for each example; the data holds ${targets.length / exampleCount}`]),
  ];
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
