import { err, type Result } from "@tutti/base";

/** Where a document breaks its promise, as a JSON pointer, and what was expected there. */
export type DocumentFault = { readonly code: "malformed"; readonly path: string; readonly expected: string };

/** Thrown inside a decoder and caught at its border, where it becomes a `Result`. */
class Fault extends Error {
  readonly path: string;
  readonly expected: string;
  constructor(path: string, expected: string) {
    super(`${path}: expected ${expected}`);
    this.path = path;
    this.expected = expected;
  }
}

export function fault(path: string, expected: string): never {
  throw new Fault(path === "" ? "/" : path, expected);
}

/** Runs a decoder that reports by `fault`; every other error passes through. */
export function decoded<T>(decode: () => Result<T, DocumentFault>): Result<T, DocumentFault> {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Fault) return err({ code: "malformed", path: error.path, expected: error.expected });
    throw error;
  }
}

/** The fields of one JSON object; a field that nobody asked for is a fault. */
export class Fields {
  readonly path: string;
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) fault(path, "an object");
    this.path = path;
    this.#record = value as Readonly<Record<string, unknown>>;
  }

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#record, name);
  }

  raw(name: string): unknown {
    this.#asked.add(name);
    return this.has(name) ? this.#record[name] : undefined;
  }

  integer(name: string, range: { readonly min: number; readonly max: number; readonly absent?: number }): number {
    if (!this.has(name) && range.absent !== undefined) return range.absent;
    return integerAt(this.raw(name), this.at(name), range);
  }

  number(name: string, range: { readonly above?: number; readonly min?: number; readonly max: number; readonly absent?: number }): number {
    if (!this.has(name) && range.absent !== undefined) return range.absent;
    const value = this.raw(name);
    const low = range.above ?? range.min ?? Number.NEGATIVE_INFINITY;
    const bound = range.above === undefined ? `at least ${low}` : `above ${low}`;
    if (typeof value !== "number" || !Number.isFinite(value) || value > range.max || value < low || (range.above !== undefined && value === low)) {
      return fault(this.at(name), `a number ${bound} and at most ${range.max}`);
    }
    return value;
  }

  boolean(name: string, absent: boolean): boolean {
    if (!this.has(name)) return absent;
    const value = this.raw(name);
    return typeof value === "boolean" ? value : fault(this.at(name), "true or false");
  }

  text(name: string, charactersMax: number): string {
    const value = this.raw(name);
    return typeof value === "string" && value.length > 0 && value.length <= charactersMax
      ? value
      : fault(this.at(name), `a text of 1 to ${charactersMax} characters`);
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], absent?: Choice): Choice {
    if (!this.has(name) && absent !== undefined) return absent;
    const value = this.raw(name);
    return choices.find((choice) => choice === value) ?? fault(this.at(name), `one of ${choices.join(", ")}`);
  }

  list(name: string, lengthMax: number): readonly unknown[] {
    const value = this.raw(name);
    return Array.isArray(value) && value.length <= lengthMax ? value : fault(this.at(name), `a list of at most ${lengthMax} items`);
  }

  integers(name: string, bounds: { readonly lengthMin: number; readonly lengthMax: number; readonly min: number; readonly max: number }): readonly number[] {
    const items = this.list(name, bounds.lengthMax);
    if (items.length < bounds.lengthMin) fault(this.at(name), `a list of at least ${bounds.lengthMin} items`);
    return items.map((item, i) => integerAt(item, `${this.at(name)}/${i}`, bounds));
  }

  /** Refuses fields that no call above has read. */
  end(): void {
    for (const name of Object.keys(this.#record)) {
      if (!this.#asked.has(name)) fault(this.at(name), "no such field");
    }
  }
}

function integerAt(value: unknown, path: string, range: { readonly min: number; readonly max: number }): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= range.min && value <= range.max
    ? value
    : fault(path, `an integer in ${range.min}..${range.max}`);
}
