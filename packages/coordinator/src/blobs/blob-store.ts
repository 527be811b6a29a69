import type { Sha256Hex } from "@tutti/base";

/** Bytes [start, end) of a blob: 0 ≤ start ≤ end ≤ its length. */
export type ByteRange = { readonly start: number; readonly end: number };

/** Immutable content by its SHA-256. One contract suite: test/blob-store-contract.ts. */
export interface BlobStore {
  /** Stores `bytes` durably and gives their hash; a blob that exists is left alone. `bytes` stay as they are meanwhile. Throws `StoreFullError`. */
  put(bytes: Uint8Array): Promise<Sha256Hex>;
  /** Length in bytes, or undefined when there is no such blob. */
  byteCount(hash: Sha256Hex): Promise<number | undefined>;
  /**
   * A blob's bytes, all of them or those of `range`; the array may be shared and is not written. Throws
   * `BlobCorruptError` when what is stored has another hash, `BlobMissingError` when nothing is.
   */
  read(hash: Sha256Hex, range?: ByteRange): Promise<Uint8Array>;
}

/** What lies under this hash has another one: the disk or somebody changed it. */
export class BlobCorruptError extends Error {
  override readonly name = "BlobCorruptError";
}

/** Nothing was ever stored under this hash, or somebody removed it. */
export class BlobMissingError extends Error {
  override readonly name = "BlobMissingError";
}
