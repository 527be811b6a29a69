import type { DurationMs, InstantMs } from "@tutti/base";

/** Check-ins are counted over windows of at least this length. */
const windowMsMin = 10_000;

/**
 * How many devices check in per second: all that pacing knows of the population, since the server
 * keeps nothing about a device that is not assigned. Counted over the wait that is handed out at present,
 * in which each device comes about once. Over a shorter time a small fleet that was told to come together
 * passes for a large one; and a rate of the past times a wait of the present feeds on itself, so that
 * three devices were sent away for a month.
 */
export class Arrivals {
  #windowStart: InstantMs;
  #count = 0;
  #lastCount = 0;

  constructor(now: InstantMs) {
    this.#windowStart = now;
  }

  /** One check-in. @param meanWaitMs the middle of the windows that are handed out. */
  add(now: InstantMs, meanWaitMs: DurationMs): void {
    this.#roll(now, meanWaitMs);
    this.#count++;
  }

  /** Check-ins of the last whole window, or of the one that runs where they are more already, per second of a window. */
  perSecond(now: InstantMs, meanWaitMs: DurationMs): number {
    this.#roll(now, meanWaitMs);
    return Math.max(this.#count, this.#lastCount) / (windowMs(meanWaitMs) / 1000);
  }

  #roll(now: InstantMs, meanWaitMs: DurationMs): void {
    if (now - this.#windowStart < windowMs(meanWaitMs)) return;
    this.#lastCount = this.#count;
    this.#count = 0;
    this.#windowStart = now;
  }
}

function windowMs(meanWaitMs: DurationMs): number {
  return Math.max(windowMsMin, meanWaitMs);
}
