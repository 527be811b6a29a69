import { durationMs, type Clock, type SecureRandom } from "@tutti/base";
import { checkpointDelayMsMax, checkpointDelayMsMin, checkpointTimeShare } from "../limits.ts";
import { sealCheckpoint, type Checkpoint, type Seal } from "./checkpoint.ts";
import type { CheckpointFiles, CheckpointPlace } from "./checkpoint-files.ts";

/** Where checkpoints go, and what they need. */
export type CheckpointPorts = { readonly clock: Clock; readonly random: SecureRandom; readonly files: CheckpointFiles };

/** The partial sum as it was taken, and whom to tell once that is durable. */
export type TakenSum = { readonly content: Omit<Checkpoint, "sequence">; readonly durable: () => void };

/**
 * Writes one round's checkpoints: one at a time, alternately into two files, never more often than their
 * cost allows. All who ask while one waits or is written share the next.
 */
export class Checkpoints {
  readonly #ports: CheckpointPorts;
  readonly #seal: Seal;
  readonly #take: () => TakenSum;
  #sequence: number;
  #lastWriteMs = 0;
  #waiting: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hurry = new AbortController();

  /** @param sequence of the newest whole checkpoint, 0 before the first. @param take the partial sum as it is when asked. */
  constructor(ports: CheckpointPorts, seal: Seal, sequence: number, take: () => TakenSum) {
    this.#ports = ports;
    this.#seal = seal;
    this.#sequence = sequence;
    this.#take = take;
  }

  /** Resolves when a checkpoint that was taken after this call is durable. */
  next(): Promise<void> {
    this.#waiting ??= this.#afterDelay();
    return this.#waiting;
  }

  /** The same, without a delay: for a round that ends. */
  now(): Promise<void> {
    const next = this.next();
    this.#hurry.abort();
    return next;
  }

  async #afterDelay(): Promise<void> {
    // The sleep ends early, by rejection, when the round is in a hurry.
    await this.#ports.clock.sleep(this.#delay(), this.#hurry.signal).catch(() => undefined);
    // The one before must be whole, or its file is the only one that might be.
    await this.#writing.catch(() => undefined);
    this.#waiting = undefined;
    this.#hurry = new AbortController();
    this.#writing = this.#write();
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { clock, random, files } = this.#ports;
    const startedAt = clock.now();
    const sequence = this.#sequence + 1;
    const place: CheckpointPlace = sequence % 2 === 0 ? 0 : 1;
    const { content, durable } = this.#take();
    await files.write(this.#seal.round, place, sealCheckpoint({ ...content, sequence }, this.#seal, random));
    this.#sequence = sequence;
    this.#lastWriteMs = clock.now() - startedAt;
    durable();
  }

  #delay(): ReturnType<typeof durationMs> {
    return durationMs(Math.min(checkpointDelayMsMax, Math.max(checkpointDelayMsMin, this.#lastWriteMs / checkpointTimeShare)));
  }
}
