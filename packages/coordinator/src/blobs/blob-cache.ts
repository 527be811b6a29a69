import { assert, type Bytes, type Sha256Hex } from "@tutti/base";

/** Whole blobs in memory, at most `bytesMax` of them; the one that was asked for longest ago goes first. */
export class BlobCache {
  readonly #bytesMax: number;
  /** In the order of their last use. */
  readonly #blobs = new Map<Sha256Hex, Bytes>();
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether a blob of this length can be kept at all. */
  holds(byteCount: number): boolean {
    return byteCount <= this.#bytesMax;
  }

  get(hash: Sha256Hex): Bytes | undefined {
    const bytes = this.#blobs.get(hash);
    if (bytes === undefined) return undefined;
    this.#blobs.delete(hash);
    this.#blobs.set(hash, bytes);
    return bytes;
  }

  add(hash: Sha256Hex, bytes: Bytes): void {
    assert(this.holds(bytes.length) && !this.#blobs.has(hash), "a blob that fits comes into the cache once");
    this.#blobs.set(hash, bytes);
    this.#heldBytes += bytes.length;
    for (const [oldest, { length }] of this.#blobs) {
      if (this.#heldBytes <= this.#bytesMax) return;
      this.#blobs.delete(oldest);
      this.#heldBytes -= length;
    }
  }
}
