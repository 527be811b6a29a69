import { parked } from "../world/virtual-time.ts";

/**
 * Results of real work that virtual time waits for. Work begins in a thread at its virtual start and is
 * taken at its virtual end: whichever thread is done first in real time, everything goes on in the same order.
 */
export class DueResults {
  readonly #due = new Set<Promise<unknown>>();

  /** `result`, whose virtual end has come; until it is there, virtual time stands still. */
  async take<T>(result: Promise<T>): Promise<T> {
    this.#due.add(result);
    try {
      return await result;
    } finally {
      this.#due.delete(result);
    }
  }

  /** Resolves when all that is due was taken and everything is parked again, or as soon as `ended` resolves. */
  async settle(ended: Promise<void>): Promise<void> {
    while (this.#due.size > 0) {
      const isEnded = await Promise.race([Promise.allSettled(this.#due).then(() => false), ended.then(() => true)]);
      if (isEnded) return;
      await parked();
    }
  }
}
