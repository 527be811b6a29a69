import type { InstantMs } from "@tutti/base";

/** Check-ins are counted over windows of this length. */
const windowMs = 10_000;

/**
 * How many devices check in per second: all that pacing knows of the population, since the server
 * keeps nothing about a device that is not assigned.
 */
export class Arrivals {
  #windowStart: InstantMs;
  #count = 0;
  #perSecond: number | undefined;

  constructor(now: InstantMs) {
    this.#windowStart = now;
  }

  add(now: InstantMs): void {
    this.#roll(now);
    this.#count++;
  }

  /** Check-ins per second over the last whole window, or over the one that runs before there was one. */
  perSecond(now: InstantMs): number {
    this.#roll(now);
    const elapsedSeconds = Math.max(1, (now - this.#windowStart) / 1000);
    return this.#perSecond ?? this.#count / elapsedSeconds;
  }

  #roll(now: InstantMs): void {
    const elapsedMs = now - this.#windowStart;
    if (elapsedMs < windowMs) return;
    this.#perSecond = this.#count / (elapsedMs / 1000);
    this.#count = 0;
    this.#windowStart = now;
  }
}
