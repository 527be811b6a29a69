import { taskActions, type RoundSummary, type TaskAction, type TaskSummary } from "@tutti/protocol";
import type { Arguments } from "../arguments.ts";
import { jsonOption, type Command } from "../command.ts";
import { addressOptions, populationOf, populationOption, taskOf, withOperatorClient } from "../coordinator-address.ts";
import { measured, measuredText } from "../metric.ts";
import { jsonLine, type Output } from "../output.ts";
import { createTask, readTaskFile } from "../task-file.ts";

const options = [populationOption, ...addressOptions, jsonOption];
const address = "--coordinator http://127.0.0.1:7430 --folder tutti-data";

const create: Command = {
  name: "task create",
  summary: "Checks a task file and starts its task.",
  positionals: ["FILE"],
  options,
  examples: [
    { line: `tutti task create examples/watch --population watches ${address}`, text: "from a folder with a task.ts" },
    { line: `tutti task create task.json --population watches --coordinator https://fl.example --token TOKEN`, text: "from JSON, on another machine" },
  ],
  run: async (args, context) => {
    const population = populationOf(args);
    const file = await readTaskFile(args.positional("FILE"));
    const summary = await withOperatorClient(args, context, (client) => createTask(client, population, file));
    writeSummary(context.output, args, summary);
    return 0;
  },
};

const list: Command = {
  name: "task list",
  summary: "Lists the tasks of a population.",
  positionals: [],
  options,
  examples: [{ line: `tutti task list --population watches ${address}`, text: "where every task stands" }],
  run: async (args, context) => {
    const population = populationOf(args);
    const tasks = await withOperatorClient(args, context, (client) => client.tasks(population));
    for (const task of tasks) writeSummary(context.output, args, task);
    if (tasks.length === 0 && !args.has("json")) context.output.write(`no tasks in "${population}"\n`);
    return 0;
  },
};

const show: Command = {
  name: "task show",
  summary: "Shows a task with its last rounds, newest first.",
  positionals: ["TASK"],
  options,
  examples: [
    { line: `tutti task show watch-activity --population watches ${address}`, text: "rounds, reports and figures" },
    { line: `tutti task show watch-activity --population watches ${address} --json`, text: "with the document and the counts of each phase string" },
  ],
  run: async (args, context) => {
    const { population, task } = namedTask(args);
    const detail = await withOperatorClient(args, context, (client) => client.task(population, task));
    if (args.has("json")) {
      context.output.write(jsonLine({ kind: "task", ...detail }));
      return 0;
    }
    writeSummary(context.output, args, detail.summary);
    for (const round of detail.rounds) context.output.write(`  ${roundLine(round)}\n`);
    return 0;
  },
};

const actionWords: Readonly<Record<TaskAction, { readonly summary: string; readonly text: string }>> = {
  pause: { summary: "Lets no new round of a task begin.", text: "the open round ends by itself" },
  resume: { summary: "Lets a paused task go on.", text: "with the next round" },
  halt: { summary: "Ends a task and its open round for good.", text: "its models stay" },
};

const actions = taskActions.map((action): Command => ({
  name: `task ${action}`,
  summary: actionWords[action].summary,
  positionals: ["TASK"],
  options,
  examples: [{ line: `tutti task ${action} watch-activity --population watches ${address}`, text: actionWords[action].text }],
  run: async (args, context) => {
    const { population, task } = namedTask(args);
    writeSummary(context.output, args, await withOperatorClient(args, context, (client) => client.act(population, task, action)));
    return 0;
  },
}));

export const taskCommands: readonly Command[] = [create, list, show, ...actions];

/** The task that a command's words and options name. */
export function namedTask(args: Arguments): { readonly population: ReturnType<typeof populationOf>; readonly task: ReturnType<typeof taskOf> } {
  return { population: populationOf(args), task: taskOf(args) };
}

function writeSummary(output: Output, args: Arguments, summary: TaskSummary): void {
  output.write(args.has("json") ? jsonLine({ kind: "task-summary", ...summary }) : `${summaryLine(summary)}\n`);
}

function summaryLine({ population, task, phase, stoppedBy, trainRoundsCommitted, modelVersion, openRound }: TaskSummary): string {
  const end = stoppedBy === null ? "" : ` (${stoppedBy})`;
  const open = openRound === null ? "" : `, round ${openRound.round} ${openRound.phase}: ${openRound.reported} of ${openRound.goalCount} reports`;
  return `${population}/${task}  ${phase}${end}, ${trainRoundsCommitted} training rounds, model version ${modelVersion}${open}`;
}

function roundLine({ round, kind, outcome, reason, assigned, reported, metrics, durationMs }: RoundSummary): string {
  const end = outcome === "committed" ? "" : ` ${outcome} (${reason})`;
  const figure = metrics === null ? "" : `, ${measuredText(measured(metrics))}`;
  return `round ${round} ${kind}${end}: ${reported} of ${assigned} reported${figure}, ${(durationMs / 1000).toFixed(1)} s`;
}
