import { instantMs, type Clock, type DurationMs, type InstantMs } from "@tutti/base";

type Sleeper = { readonly at: number; readonly wake: () => void };

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #sleepers = new Set<Sleeper>();

  now(): InstantMs {
    return instantMs(this.#now);
  }

  sleep(durationMs: DurationMs, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) reject(signal.reason as Error);
      const sleeper = { at: this.#now + durationMs, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      }, { once: true });
    });
  }

  /** Moves on, wakes who is due, and lets all that follows at once run. */
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    for (const sleeper of [...this.#sleepers].filter(({ at }) => at <= this.#now)) {
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await settled();
  }
}

/** Resolves when every promise chain that only waits for promises has come to its end. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
