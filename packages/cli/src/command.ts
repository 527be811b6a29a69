import type { Arguments, ArgumentsSpec, OptionSpec } from "./arguments.ts";
import type { Output } from "./output.ts";

/** What surrounds one call of a command. */
export type CallContext = {
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts at the first Ctrl-C: end cleanly. */
  readonly interrupted: AbortSignal;
};

/** One command: its words, what it takes, what its help says, and what it does. */
export type Command = ArgumentsSpec & {
  /** The words that call it, as "task create". */
  readonly name: string;
  readonly summary: string;
  /** Whole command lines that work as they stand, each with what it does. */
  readonly examples: readonly { readonly line: string; readonly text: string }[];
  /** Does it; resolves with the exit code. */
  run(args: Arguments, context: CallContext): Promise<number>;
};

/** Options that every command understands. */
export const jsonOption: OptionSpec = { name: "json", text: "print one JSON object per line" };
export const helpOption: OptionSpec = { name: "help", text: "show this help" };
