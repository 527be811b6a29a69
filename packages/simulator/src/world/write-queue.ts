import { unreachable, type SeededRandom } from "@tutti/base";
import type { VirtualTime } from "./virtual-time.ts";

/** What happens to a write at the moment when it would become durable. */
export type WriteFate = "done" | "refused" | "crash-before" | "crash-after";

type Write = { readonly label: string; readonly apply: () => void; readonly refuse: () => void };

export type WriteQueueOptions = {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly latencyMs: number;
  /** Drawn for each write that comes to its end. */
  readonly fateOf: (label: string) => WriteFate;
  /** Ends the process; calls `crash` of all its queues. */
  readonly die: (reason: string) => void;
  /** The failure of a refused write. */
  readonly refusal: () => Error;
};

/**
 * Writes on their way to a disk, durable in the order in which they were asked for. A crash keeps any
 * number of the first ones and loses the others: neither the order nor a single write is ever broken.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #waiting: Write[] = [];
  #lastAtMs = 0;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /** Resolves when `work` was done. `work` takes its effect while its call runs. */
  add<T>(label: string, work: () => Promise<T>): Promise<T> {
    const { time, random, latencyMs, refusal } = this.#options;
    return new Promise((resolve, reject) => {
      const apply = (): void => void work().then(resolve, reject);
      this.#waiting.push({ label, apply, refuse: () => reject(refusal()) });
      this.#lastAtMs = Math.max(this.#lastAtMs, time.now() + random.uniform() * latencyMs);
      time.after(this.#lastAtMs - time.now(), () => this.#settleFirst());
    });
  }

  /** The process ended: what waits is kept up to a random place. */
  crash(): void {
    const waiting = this.#waiting.splice(0);
    for (const { apply } of waiting.slice(0, this.#options.random.below(waiting.length + 1))) apply();
  }

  #settleFirst(): void {
    const first = this.#waiting[0];
    // Its timer outlives a crash.
    if (first === undefined) return;
    const { fateOf, die } = this.#options;
    const fate = fateOf(first.label);
    // The crash decides about this write, too.
    if (fate !== "crash-before") this.#waiting.shift();
    switch (fate) {
      case "crash-before":
        die(`before ${first.label}`);
        break;
      case "refused":
        first.refuse();
        break;
      case "done":
        first.apply();
        break;
      case "crash-after":
        first.apply();
        die(`after ${first.label}`);
        break;
      default:
        unreachable(fate);
    }
  }
}
