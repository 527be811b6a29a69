import type { LocalTraining, Model } from "@tutti/engine";
import { taskName, type DataQuery, type TaskName } from "@tutti/protocol";
import { openTaskProgress, roundPolicyOf } from "@tutti/rounds";
import { syntheticWatchTask } from "@tutti/simulator";
import { UsageError } from "../arguments.ts";
import { countPeople, type PeopleSource } from "../people.ts";
import { checkedTask, readTaskFile, type TaskFile } from "../task-file.ts";
import type { DemoSettings } from "./demo-settings.ts";

/** The task of one run with the people who hold its examples. */
export type DemoTask = {
  readonly name: TaskName;
  readonly file: TaskFile;
  readonly model: Model;
  readonly training: LocalTraining;
  readonly query: DataQuery;
  readonly goalCount: number;
  /** Training rounds after which it stops at the latest; undefined where another rule decides. */
  readonly roundsMax: number | undefined;
  readonly people: PeopleSource;
  /** Where the people come from, in words. */
  readonly origin: string;
  readonly trainingCount: number;
  /** All devices, those that evaluate included. */
  readonly deviceCount: number;
  readonly seed: number;
};

/** @throws CommandFailure for a task file that is none; UsageError where the devices cannot fill a round. */
export async function openDemoTask(settings: DemoSettings, seed: number): Promise<DemoTask> {
  const file = await demoTaskFile(settings, seed);
  const { task } = file;
  const people: PeopleSource = { dataPath: settings.dataPath, collection: task.data.collection, seed, trainingCountMax: settings.deviceCount };
  const { origin, trainingCount, heldOutCount } = await countPeople(people);
  const { goalCount, assignedTarget } = roundPolicyOf(task, "train", openTaskProgress());
  if (trainingCount < goalCount) throw new UsageError(`--devices ${trainingCount}: a round of "${task.name}" needs ${goalCount} reports from up to ${assignedTarget} devices`);
  return {
    name: taskName(task.name), file, model: task.model, training: task.job, query: task.data, goalCount,
    roundsMax: task.stop.rounds, people, origin, trainingCount, deviceCount: trainingCount + heldOutCount, seed,
  };
}

/** The task as it is written, or as `--seed` and `--rounds` change it, checked again. */
async function demoTaskFile({ taskPath, roundCount }: DemoSettings, seed: number): Promise<TaskFile> {
  const file = taskPath === undefined ? checkedTask("the demo's own task", syntheticWatchTask) : await readTaskFile(taskPath);
  const start = "seed" in file.task.start ? { start: { seed } } : {};
  const stop = roundCount === undefined ? {} : { stop: { rounds: roundCount } };
  return { ...file, ...checkedTask(taskPath ?? "the demo's own task", { ...(file.document as object), ...start, ...stop }) };
}

