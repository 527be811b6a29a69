import type { Bytes } from "@tutti/base";
import { idleStagingBytesMax, stagingBytesMax } from "../limits.ts";

/** Buffers come in steps of this, so that reports of one task, a few digits apart, share them. */
const stepBytes = 64 * 1024;

/** Memory for the bodies on their way: capped for all uploads together, and used again. */
export class Staging {
  readonly #idle = new Map<number, Bytes[]>();
  #takenBytes = 0;
  #idleBytes = 0;

  /** A buffer of at least `bytes`, its content arbitrary; undefined when all uploads together hold too much. */
  take(bytes: number): Bytes | undefined {
    const length = Math.ceil(bytes / stepBytes) * stepBytes;
    if (this.#takenBytes + length > stagingBytesMax) return undefined;
    this.#takenBytes += length;
    const idle = this.#idle.get(length)?.pop();
    if (idle === undefined) return new Uint8Array(length);
    this.#idleBytes -= length;
    return idle;
  }

  /** Gives a buffer back that `take` gave; its holder must not touch it again. */
  give(buffer: Bytes): void {
    this.#takenBytes -= buffer.length;
    if (this.#idleBytes + buffer.length > idleStagingBytesMax) return;
    this.#idleBytes += buffer.length;
    const idle = this.#idle.get(buffer.length) ?? [];
    idle.push(buffer);
    this.#idle.set(buffer.length, idle);
  }
}
