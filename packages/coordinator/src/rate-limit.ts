import { assert, type InstantMs } from "@tutti/base";

/** A token bucket that holds one second's worth. */
export class RateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #at: InstantMs | undefined;

  /** @param perSecond takes per second, more than 0. */
  constructor(perSecond: number) {
    assert(perSecond > 0, "a rate is more than 0 per second");
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Takes one, and gives 0; or takes none, and gives the ms until there is one. */
  take(now: InstantMs): number {
    const elapsedMs = this.#at === undefined ? 0 : Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000);
    this.#tokens -= 1;
    return 0;
  }
}
