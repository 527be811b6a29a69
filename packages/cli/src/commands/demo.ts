import type { Arguments } from "../arguments.ts";
import { jsonOption, type CallContext, type Command } from "../command.ts";
import { resultObject, resultText, seedsSummary, seedsText, type DemoResult } from "../demo/demo-result.ts";
import { runDemo } from "../demo/demo-run.ts";
import { demoOptions, demoSettings } from "../demo/demo-settings.ts";
import { interruptedExitCode } from "../interruption.ts";
import { jsonLine } from "../output.ts";

/** `npm start`: the whole walk on one machine, with real HTTP between the coordinator and every device. */
export const demo: Command = {
  name: "demo",
  summary: "Trains a model across many devices on this machine: a coordinator, and threads full of devices that keep their data.",
  positionals: [],
  options: [...demoOptions, jsonOption],
  examples: [
    { line: "tutti demo", text: "synthetic watches, until the task's stop rule" },
    { line: "tutti demo --rounds 2 --json", text: "two rounds, for a machine" },
    { line: "tutti demo --task examples/watch --data ../shared/data/har_phone_watch --seeds 5", text: "real watches of 18 people, tested on 5 others, five times" },
  ],
  run: runSeeds,
};

/** One run per seed, then their means. */
async function runSeeds(args: Arguments, context: CallContext): Promise<number> {
  const settings = demoSettings(args);
  const { output, environment, interrupted } = context;
  const results: DemoResult[] = [];
  for (const seed of settings.seeds) {
    const result = await runDemo(settings, context, seed);
    results.push(result);
    output.write(settings.isJson ? jsonLine(resultObject(result)) : `${resultText(result, environment)}\n`);
    if (interrupted.aborted) return interruptedExitCode;
  }
  if (results.length > 1) output.write(settings.isJson ? jsonLine({ kind: "demo-seeds", seeds: settings.seeds, ...seedsSummary(results) }) : `\n${seedsText(results)}\n`);
  return 0;
}
