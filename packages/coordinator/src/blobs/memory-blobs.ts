import { assert, sha256Hex, type Sha256Hex } from "@tutti/base";
import { hash as digest } from "node:crypto";
import { BlobMissingError, type BlobStore } from "./blob-store.ts";

/** Blobs that live as long as the process. Hashes at once: in the simulator nothing waits for the machine. */
export function memoryBlobs(): BlobStore {
  const blobs = new Map<Sha256Hex, Uint8Array>();
  return {
    put: (bytes) => {
      const hash = sha256Hex(digest("sha256", bytes));
      // Its own copy, as on a disk: the caller may use the buffer again.
      if (!blobs.has(hash)) blobs.set(hash, bytes.slice());
      return Promise.resolve(hash);
    },
    byteCount: (hash) => Promise.resolve(blobs.get(hash)?.length),
    read: (hash, range) => Promise.resolve().then(() => {
      const bytes = blobs.get(hash);
      if (bytes === undefined) throw new BlobMissingError(`no blob ${hash}`);
      const { start, end } = range ?? { start: 0, end: bytes.length };
      assert(0 <= start && start <= end && end <= bytes.length, "a range lies within its blob");
      return bytes.subarray(start, end);
    }),
  };
}
