import { parseArguments, UsageError } from "./arguments.ts";
import type { CallContext, Command } from "./command.ts";
import { dataCommands } from "./commands/data.ts";
import { demo } from "./commands/demo.ts";
import { device } from "./commands/device.ts";
import { modelCommands } from "./commands/model.ts";
import { serve } from "./commands/serve.ts";
import { simulate } from "./commands/simulate.ts";
import { taskCommands } from "./commands/task.ts";
import { failureText } from "./failure.ts";
import { commandHelp, overviewHelp } from "./help.ts";

const commands: readonly Command[] = [serve, demo, simulate, device, ...dataCommands, ...taskCommands, ...modelCommands];

/**
 * Runs the command that `words` spell. Resolves with the exit code: 0 for done, 1 where the world
 * failed, 2 for words that are no command, 130 after Ctrl-C. Never rejects.
 */
export async function runTutti(words: readonly string[], context: CallContext): Promise<number> {
  try {
    return await dispatch(words, context);
  } catch (cause) {
    if (cause instanceof UsageError) {
      context.output.writeError(`tutti: ${cause.message}\n`);
      return 2;
    }
    context.output.writeError(failureText(cause));
    return 1;
  }
}

async function dispatch(words: readonly string[], context: CallContext): Promise<number> {
  const command = commands.find(({ name }) => name.split(" ").every((word, i) => words[i] === word));
  if (command === undefined) return withoutCommand(words, context);
  const rest = words.slice(command.name.split(" ").length);
  if (rest.includes("--help")) {
    context.output.write(commandHelp(command));
    return 0;
  }
  return command.run(parseArguments(command, rest), context);
}

function withoutCommand(words: readonly string[], { output }: CallContext): number {
  if (words.length === 0 || words.includes("--help")) {
    output.write(overviewHelp(commands));
    return 0;
  }
  const known = commands.filter(({ name }) => name.startsWith(`${words[0] ?? ""} `)).map(({ name }) => name);
  throw new UsageError(known.length > 0 ? `expected one of: ${known.join(", ")}` : `unknown command "${words[0] ?? ""}"; see: tutti --help`);
}
