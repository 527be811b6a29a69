import { addDuration, instantMs, type Clock, type DurationMs, type InstantMs } from "@tutti/base";

type Sleeper = { readonly at: InstantMs; wake(): void };

/**
 * Time that moves only when every promise chain is parked: then to the earliest sleeper. All work of a
 * test is done in microtasks, so one turn of the event loop shows that nothing else is left to do.
 */
export class VirtualClock implements Clock {
  #now: InstantMs;
  #sleepers: readonly Sleeper[] = [];

  constructor(start: number) {
    this.#now = instantMs(start);
  }

  now(): InstantMs {
    return this.#now;
  }

  /** Sets the clock, as its owner may, forwards or back. */
  set(now: number): void {
    this.#now = instantMs(now);
  }

  sleep(durationMs: DurationMs, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: addDuration(this.#now, durationMs), wake: resolve };
      const leave = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(new Error("the sleep was ended"));
      };
      if (signal?.aborted === true) leave();
      else {
        signal?.addEventListener("abort", leave, { once: true });
        this.#sleepers = [...this.#sleepers, sleeper];
        setImmediate(() => this.#turn());
      }
    });
  }

  get sleeperCount(): number {
    return this.#sleepers.length;
  }

  /** Wakes the earliest sleeper; each sleeper has asked for one turn, and a turn wakes one at most. */
  #turn(): void {
    const [first, ...others] = this.#sleepers.toSorted((a, b) => a.at - b.at);
    if (first === undefined) return;
    this.#sleepers = others;
    this.#now = instantMs(Math.max(this.#now, first.at));
    first.wake();
  }
}
