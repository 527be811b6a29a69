import { assert } from "@tutti/base";
import { parseArgs } from "node:util";

/** One option of a command. Without `value` it is a switch; with it, `value` names what follows in the help. */
export type OptionSpec = { readonly name: string; readonly value?: string; readonly text: string };

/** What a command takes: the one source of its parsing and of its help. */
export type ArgumentsSpec = {
  readonly positionals: readonly string[];
  readonly options: readonly OptionSpec[];
};

/** The person's mistake: one line that names the word at fault. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The checked words of one call. Asking for an option that the command's spec does not name is our own mistake. */
export class Arguments {
  readonly #spec: ArgumentsSpec;
  readonly #values: ReadonlyMap<string, string | true>;
  readonly #positionals: readonly string[];

  constructor(spec: ArgumentsSpec, values: ReadonlyMap<string, string | true>, positionals: readonly string[]) {
    this.#spec = spec;
    this.#values = values;
    this.#positionals = positionals;
  }

  /** Whether a switch is given. */
  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    return typeof value === "string" ? value : undefined;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`--${name} is missing`);
    return value;
  }

  /** A whole number within `range`. */
  integer(name: string, range: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= range.min && value <= range.max)) throw new UsageError(`--${name} ${text}: expected a whole number from ${range.min} to ${range.max}`);
    return value;
  }

  positional(name: string): string {
    const at = this.#spec.positionals.indexOf(name);
    const value = this.#positionals[at];
    assert(at >= 0 && value !== undefined, `the command takes ${name}, and the count of its words was checked`);
    return value;
  }

  #value(name: string): string | true | undefined {
    assert(this.#spec.options.some((option) => option.name === name), `the command's options name --${name}`);
    return this.#values.get(name);
  }
}

/**
 * The words after a command's name, checked against its spec.
 * @throws UsageError for an unknown or doubled option, a missing value, and too few or too many words.
 */
export function parseArguments(spec: ArgumentsSpec, words: readonly string[]): Arguments {
  const options = Object.fromEntries(spec.options.map(({ name, value }) => [name, { type: value === undefined ? ("boolean" as const) : ("string" as const) }]));
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string | true>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    if (values.has(token.name)) throw new UsageError(`${token.rawName} is given twice`);
    values.set(token.name, optionValue(spec, token));
  }
  const [extra] = positionals.slice(spec.positionals.length);
  if (extra !== undefined) throw new UsageError(`unexpected word "${extra}"`);
  const missing = spec.positionals[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  return new Arguments(spec, values, positionals);
}

type OptionToken = { readonly name: string; readonly rawName: string; readonly value?: string | undefined; readonly inlineValue?: boolean | undefined };

function optionValue(spec: ArgumentsSpec, token: OptionToken): string | true {
  const option = spec.options.find(({ name }) => name === token.name);
  if (option === undefined || !token.rawName.startsWith("--")) throw new UsageError(`unknown option ${token.rawName}`);
  if (option.value === undefined) {
    if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    return true;
  }
  // "--rounds --json": the next option is not the value of this one; a value that begins with a hyphen is written --name=-value.
  const isNextOption = token.inlineValue === false && token.value?.startsWith("-") === true;
  if (token.value === undefined || token.value === "" || isNextOption) throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value}`);
  return token.value;
}
