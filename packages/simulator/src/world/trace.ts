import { assert, type Clock } from "@tutti/base";
import { createHash } from "node:crypto";
import { traceLinesMax } from "./limits.ts";

/** What happened, line by line: virtual seconds since the start, who, what. Equal seeds give equal bytes. */
export class Trace {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #lines: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.now();
  }

  add(actor: string, event: string): void {
    assert(this.#lines.length < traceLinesMax, `a trace has at most ${traceLinesMax} lines`);
    const seconds = ((this.#clock.now() - this.#start) / 1000).toFixed(3);
    this.#lines.push(`${seconds.padStart(10)}  ${actor.padEnd(12)}${event}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** SHA-256 of all lines. */
  get hash(): string {
    return createHash("sha256").update(this.#lines.join("\n")).digest("hex");
  }
}
