/**
 * One run of a process, from its start to its crash. What it waits for after its end never comes, so
 * that no line of it runs any more; what it asks for after its end shows that a gate is missing.
 */
export class Life {
  readonly #endings = new Set<() => void>();
  readonly #onZombie: (call: string) => void;
  #isAlive = true;
  #thawed: Promise<void> | undefined;

  /** @param onZombie told of what is asked for after the end. */
  constructor(onZombie: (call: string) => void) {
    this.#onZombie = onZombie;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  end(): void {
    this.#isAlive = false;
    for (const ending of this.#endings) ending();
    this.#endings.clear();
  }

  /** Calls `ending` when this life ends; the returned function takes it back. */
  onEnd(ending: () => void): () => void {
    this.#endings.add(ending);
    return () => void this.#endings.delete(ending);
  }

  /** Until `thawed` resolves nothing arrives: the machine sleeps. */
  freeze(thawed: Promise<void>): void {
    this.#thawed = thawed;
  }

  /** What `work` gives, if this life sees it. */
  during<T>(call: string, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#isAlive) {
        this.#onZombie(call);
        return;
      }
      work().then(
        (value) => this.#arrive(() => resolve(value)),
        (cause: unknown) => this.#arrive(() => reject(cause)),
      );
    });
  }

  #arrive(settle: () => void): void {
    const ifAlive = (): void => {
      if (this.#isAlive) settle();
    };
    if (this.#thawed === undefined) ifAlive();
    else void this.#thawed.then(ifAlive);
  }
}
