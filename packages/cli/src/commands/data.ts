import { dataSummary, openPopulation, partitioned, taskView, type CohortSummary, type CohortView, type DataSummary, type LabelSummary, type TaskView } from "@tutti/simulator";
import { unreachable } from "@tutti/base";
import type { Arguments } from "../arguments.ts";
import { jsonOption, type CallContext, type Command } from "../command.ts";
import { jsonLine } from "../output.ts";
import { partitionOf, partitionOptions, seedOf } from "../partition-options.ts";
import { readTaskFile } from "../task-file.ts";

const inspect: Command = {
  name: "data inspect",
  summary: "Shows the clients, examples and labels of a data set, and what a task would see of it.",
  positionals: ["PATH"],
  options: [{ name: "task", value: "TASK", text: "also what the devices of this task would see: a task file, or a folder with a task.ts" }, ...partitionOptions, jsonOption],
  examples: [
    { line: "tutti data inspect ../shared/data/har_phone_watch --task examples/watch", text: "real watches, as the watch task sees them" },
    { line: "tutti data inspect ../shared/data/mnist --partition shards:2 --clients 100", text: "MNIST dealt to 100 clients, most with two digits" },
    { line: "tutti data inspect femnist/data --json", text: "a data set as LEAF writes it, for a machine" },
  ],
  run: runInspect,
};

export const dataCommands: readonly Command[] = [inspect];

/** Exit code 1 where the task could not run on the data. */
async function runInspect(args: Arguments, { output }: CallContext): Promise<number> {
  const [partition, seed] = [partitionOf(args), seedOf(args)];
  const population = partitioned(await openPopulation({ kind: "folder", path: args.positional("PATH") }), partition, seed);
  const summary = dataSummary(population);
  const taskPath = args.text("task");
  const view = taskPath === undefined ? undefined : taskView((await readTaskFile(taskPath)).task, population);
  if (args.has("json")) output.write(jsonLine({ kind: "data-summary", ...summary, ...(view === undefined ? {} : { task: view }) }));
  else output.write(`${[...summaryLines(summary), ...(view === undefined ? [] : viewLines(view))].join("\n")}\n`);
  return view === undefined || view.faults.length === 0 ? 0 : 1;
}

function summaryLines({ description, collection, schemaVersion, numbersPerExample, training, heldOut }: DataSummary): readonly string[] {
  return [description, `collection "${collection}", version ${schemaVersion}; ${numbersPerExample} numbers for each example`, ...cohortLines("train", training), ...cohortLines("are held out", heldOut)];
}

function cohortLines(what: string, { clientCount, exampleCount, examplesPerClient, labels }: CohortSummary): readonly string[] {
  if (clientCount === 0) return [`0 clients ${what}`];
  const { min, median, max } = examplesPerClient;
  return [`${clientCount} clients ${what} with ${exampleCount} examples, each with ${min} to ${max} (median ${median})`, `  ${labelText(labels)}`];
}

function labelText(labels: LabelSummary): string {
  switch (labels.kind) {
    case "classes":
      return `examples of each class: ${labels.counts.map(({ label, count }) => `${label}: ${count}`).join(", ")}`;
    case "values":
      return `values from ${labels.min.toPrecision(4)} to ${labels.max.toPrecision(4)}, on average ${labels.mean.toPrecision(4)}`;
    case "none":
      return "no labels";
    default:
      return unreachable(labels);
  }
}

function viewLines({ faults, training, heldOut }: TaskView): readonly string[] {
  return [`the task: ${cohortText(training)} train, ${cohortText(heldOut)} evaluate`, ...faults.map((fault) => `  it cannot run: ${fault}`)];
}

function cohortText({ eligibleCount, seenCount, leftOutCount }: CohortView): string {
  return `${eligibleCount} clients with ${seenCount} examples${leftOutCount === 0 ? "" : ` (${leftOutCount} beyond its limit left out)`}`;
}
