import { assert, instantMs, type Clock, type DurationMs, type InstantMs, type SeededRandom } from "@tutti/base";
import { momentsMax, turnsPerMomentMax } from "./limits.ts";

type Timer = { readonly atMs: number; readonly order: number; readonly fire: () => void };

/**
 * Time that moves only when every promise chain is parked, and then to the next timer. Timers of one
 * moment fire one by one in an order that the seed draws, so that no test leans on the order of calls.
 */
export class VirtualTime implements Clock {
  readonly #random: SeededRandom;
  readonly #timers = new Set<Timer>();
  readonly #momentsMax: number;
  #now: InstantMs;
  #momentCount = 0;

  constructor(startMs: number, random: SeededRandom, atMost = momentsMax) {
    this.#now = instantMs(startMs);
    this.#random = random;
    this.#momentsMax = atMost;
  }

  now(): InstantMs {
    return this.#now;
  }

  /** Calls `fire` when `delayMs` have passed; the returned function takes it back. */
  after(delayMs: number, fire: () => void): () => void {
    assert(delayMs >= 0 && Number.isFinite(delayMs), "a timer lies ahead");
    const timer: Timer = { atMs: this.#now + delayMs, order: this.#random.uint32(), fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  sleep(durationMs: DurationMs, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        takeBack();
        reject(new Error("the sleep was ended", { cause: signal?.reason }));
      };
      const takeBack = this.after(durationMs, () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      });
      if (signal?.aborted === true) leave();
      else signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /**
   * Lets time pass until `isOver`, asked at every moment once all is parked, or until `untilMs`.
   * False when the end came before; the clock then shows it. @param atEveryMoment called before `isOver`.
   */
  async pass(untilMs: number, isOver: () => boolean, atEveryMoment: () => Promise<void>): Promise<boolean> {
    for (;;) {
      await parked();
      await atEveryMoment();
      if (isOver()) return true;
      const next = this.#earliest();
      if (next === undefined || next.atMs > untilMs) {
        this.#now = instantMs(Math.max(this.#now, untilMs));
        return false;
      }
      assert(this.#momentCount++ < this.#momentsMax, `a world ends within ${this.#momentsMax} moments`);
      this.#timers.delete(next);
      this.#now = instantMs(next.atMs);
      next.fire();
    }
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.atMs < earliest.atMs || (timer.atMs === earliest.atMs && timer.order < earliest.order)) earliest = timer;
    }
    return earliest;
  }
}

/**
 * Resolves when all that only waits for itself has come to rest. A turn of the event loop empties the
 * queues of microtasks and ticks; streams ask for further turns, which show among the loop's resources.
 * Nothing in the world waits for sockets, files, threads or the machine's timers, so nothing else is left.
 */
export async function parked(): Promise<void> {
  for (let turns = 0; turns === 0 || process.getActiveResourcesInfo().includes("Immediate"); turns++) {
    assert(turns < turnsPerMomentMax, "a moment ends");
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
