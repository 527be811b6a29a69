import { measured, type Measured } from "../metric.ts";
import type { ProgressEvent } from "../progress.ts";

/** What a run's events add up to. */
export class RunTally {
  readonly #stopped = Promise.withResolvers<string>();
  #heldOut: Measured | undefined;
  #exampleVisitCount = 0;
  #vanishedCount = 0;

  event(event: ProgressEvent): void {
    if (event.kind === "task-stopped") this.#stopped.resolve(event.stoppedBy);
    if (event.kind === "device-vanished") this.#vanishedCount++;
    if (event.kind !== "round-committed") return;
    // A training round's metrics are summed over its minibatches: their count is the visits to examples.
    if (event.roundKind === "train") this.#exampleVisitCount += event.metrics.count;
    else this.#heldOut = measured(event.metrics) ?? this.#heldOut;
  }

  /** Resolves with the rule that stopped the task. */
  get stopped(): Promise<string> {
    return this.#stopped.promise;
  }

  /** The newest evaluation by devices that never train. */
  get heldOut(): Measured | undefined {
    return this.#heldOut;
  }

  get exampleVisitCount(): number {
    return this.#exampleVisitCount;
  }

  get vanishedCount(): number {
    return this.#vanishedCount;
  }
}
