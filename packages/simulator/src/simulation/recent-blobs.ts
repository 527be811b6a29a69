import { assert, sha256Hex, type Sha256Hex } from "@tutti/base";
import type { BlobStore } from "@tutti/coordinator";
import { hash as digest } from "node:crypto";

/** Blobs in memory of which the `countMax` that were used last are kept: a simulation reads its newest model and plan alone. */
export function recentBlobs(countMax: number): BlobStore {
  // In the order of their last use.
  const blobs = new Map<Sha256Hex, Uint8Array>();
  const used = (hash: Sha256Hex, bytes: Uint8Array): void => {
    blobs.delete(hash);
    blobs.set(hash, bytes);
    for (const oldest of blobs.keys()) if (blobs.size > countMax) blobs.delete(oldest);
  };
  return {
    put: (bytes) => {
      const hash = sha256Hex(digest("sha256", bytes));
      used(hash, blobs.get(hash) ?? bytes.slice());
      return Promise.resolve(hash);
    },
    byteCount: (hash) => {
      const bytes = blobs.get(hash);
      if (bytes !== undefined) used(hash, bytes);
      return Promise.resolve(bytes?.length);
    },
    read: (hash, range) => Promise.resolve().then(() => {
      const bytes = blobs.get(hash);
      assert(bytes !== undefined, "a blob is read while it is one of the newest");
      used(hash, bytes);
      return range === undefined ? bytes : bytes.subarray(range.start, range.end);
    }),
  };
}
