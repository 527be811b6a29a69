import { helpOption, type Command } from "./command.ts";

/** The help of one command: usage, options, examples. */
export function commandHelp(command: Command): string {
  const usage = ["tutti", command.name, ...command.positionals, "[options]"].join(" ");
  const options = [...command.options, helpOption].map(({ name, value, text }) => ({ left: value === undefined ? `--${name}` : `--${name} ${value}`, text }));
  const examples = command.examples.map(({ line, text }) => `  # ${text}\n  ${line}`);
  return [`${command.summary}\n`, `Usage: ${usage}\n`, `Options:\n${table(options)}\n`, `Examples:\n${examples.join("\n")}\n`].join("\n");
}

/** The help of `tutti` itself: every command on a line. */
export function overviewHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, positionals, summary }) => ({ left: [name, ...positionals].join(" "), text: summary }));
  return [
    "Trains one model across many devices that keep their data.\n",
    "Usage: tutti COMMAND [options]\n",
    `Commands:\n${table(rows)}\n`,
    "Each command explains itself: tutti COMMAND --help\n",
  ].join("\n");
}

function table(rows: readonly { readonly left: string; readonly text: string }[]): string {
  const width = Math.max(...rows.map(({ left }) => left.length));
  return rows.map(({ left, text }) => `  ${left.padEnd(width)}  ${text}`).join("\n");
}
