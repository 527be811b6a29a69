import type { Conditions, ConditionsSource } from "../platform.ts";

/** Conditions that others find out: the page, and the person. What runs is told of each change. */
export class ToldConditions implements ConditionsSource {
  readonly #listeners = new Set<() => void>();
  #conditions: Conditions;

  constructor(start: Conditions) {
    this.#conditions = start;
  }

  current(): Conditions {
    return this.#conditions;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(change: Partial<Conditions>): void {
    this.#conditions = { ...this.#conditions, ...change };
    for (const listener of this.#listeners) listener();
  }
}
