import { err, ok, type Result } from "@tutti/base";
import type { Engine, Numerics, Trainer } from "./engine.ts";
import type { LocalTraining } from "./local-job.ts";
import type { Model } from "./model.ts";

/** What a caller needs: a trainer of this model for such batches; `training` where it will train. */
export type TrainerWish = { readonly model: Model; readonly maxBatch: number; readonly training: LocalTraining | null };

/** No engine of the queue can run the model; `missing` names what they lack. */
export type EngineMissing = { readonly code: "engine-missing"; readonly missing: readonly string[] };

export type QueueOptions = {
  readonly engine: Engine;
  readonly numerics: Numerics;
  /** Bytes that the one trainer may take. */
  readonly memoryBytesMax: number;
};

type Kept = { readonly key: string; readonly trainer: Trainer };

/**
 * One trainer at a time for all devices of a thread, in the order in which they ask: two at once would
 * be no faster and take twice the memory. Between callers that wait for the same model and batch the
 * trainer is kept, which saved 0.4 to 1 ms of a 0.7 to 5 ms job of five minibatches (softmax, HAR, 2NN);
 * when nobody waits it is disposed, so that an idle process holds none.
 */
export class TrainerQueue {
  readonly #options: QueueOptions;
  #kept: Kept | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Runs `work` alone with a trainer. Rejects as `work` does; the trainer is then thrown away. */
  async use<T>(wish: TrainerWish, work: (trainer: Trainer) => Promise<T>): Promise<Result<T, EngineMissing>> {
    const { promise: done, resolve: finish } = Promise.withResolvers<undefined>();
    const before = this.#last;
    this.#last = done;
    this.#waitingCount++;
    await before;
    this.#waitingCount--;
    try {
      return await this.#take(wish, work);
    } finally {
      finish(undefined);
    }
  }

  async #take<T>(wish: TrainerWish, work: (trainer: Trainer) => Promise<T>): Promise<Result<T, EngineMissing>> {
    const missing = this.#missing(wish);
    if (missing.length > 0) return err({ code: "engine-missing", missing });
    const trainer = await this.#trainerOf(wish);
    let isSound = false;
    try {
      const result = await work(trainer);
      isSound = true;
      return ok(result);
    } finally {
      if (!isSound || this.#waitingCount === 0) this.#dispose();
    }
  }

  #missing({ model, maxBatch, training }: TrainerWish): readonly string[] {
    const check = this.#options.engine.check(model);
    if (!check.ok) return check.missing;
    const bytes = check.bytes(maxBatch, training ?? undefined);
    return bytes > this.#options.memoryBytesMax ? [`${bytes} bytes of engine memory; ${this.#options.memoryBytesMax} are allowed`] : [];
  }

  /** Same model and same batch: a larger trainer would do, but a result must not depend on who came before. */
  async #trainerOf({ model, maxBatch }: TrainerWish): Promise<Trainer> {
    const key = JSON.stringify([maxBatch, model]);
    if (this.#kept?.key === key) return this.#kept.trainer;
    this.#dispose();
    const { engine, numerics } = this.#options;
    const trainer = await engine.compile(model, { maxBatch, numerics });
    this.#kept = { key, trainer };
    return trainer;
  }

  #dispose(): void {
    this.#kept?.trainer.dispose();
    this.#kept = null;
  }
}
