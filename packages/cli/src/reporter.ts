import type { InstantMs } from "@tutti/base";
import { jsonLine, type Output } from "./output.ts";
import { liveLine, openProgress, plainLine, progressObject, stepProgress, type Progress, type ProgressEvent } from "./progress.ts";

export type ReporterMode = "terminal" | "plain" | "json";

/** Lines for a machine, a drawn line for a person who looks on, lines that stay for a log. */
export function reporterMode(output: Output, isJson: boolean): ReporterMode {
  if (isJson) return "json";
  return output.isTerminal ? "terminal" : "plain";
}

const eraseLine = "\r\u001b[2K";

/** Shows a run's progress on `output`, in one of three ways. */
export class Reporter {
  readonly #output: Output;
  readonly #mode: ReporterMode;
  readonly #now: () => InstantMs;
  #progress: Progress;

  constructor(parts: { readonly output: Output; readonly mode: ReporterMode; readonly now: () => InstantMs; readonly roundsMax: number | undefined }) {
    this.#output = parts.output;
    this.#mode = parts.mode;
    this.#now = parts.now;
    this.#progress = openProgress({ roundsMax: parts.roundsMax, startedAt: parts.now() });
  }

  event(event: ProgressEvent): void {
    const before = this.#progress;
    this.#progress = stepProgress(before, event);
    if (this.#mode === "json") {
      this.#output.write(jsonLine(progressObject(event)));
      return;
    }
    const line = plainLine(before, event);
    // A terminal keeps what people compare, the evaluations and the troubles; training rounds pass in the live line.
    const isKept = this.#mode === "plain" || event.kind !== "round-committed" || event.roundKind === "evaluate";
    if (line !== undefined && isKept) this.note(line);
    this.#draw();
  }

  /** A sentence for people; a machine reads facts instead. */
  note(text: string): void {
    if (this.#mode === "json") return;
    this.#output.write(`${this.#mode === "terminal" ? eraseLine : ""}${text}\n`);
  }

  /** A fact for machines; people read sentences instead. */
  fact(object: Readonly<Record<string, unknown>>): void {
    if (this.#mode === "json") this.#output.write(jsonLine(object));
  }

  /** Takes the live line away. */
  end(): void {
    if (this.#mode === "terminal") this.#output.write(eraseLine);
  }

  #draw(): void {
    if (this.#mode === "terminal") this.#output.write(`${eraseLine}${liveLine(this.#progress, this.#now(), this.#output.columnCount)}`);
  }
}
