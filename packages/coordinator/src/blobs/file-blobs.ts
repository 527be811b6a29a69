import { assert, hexFromBytes, sha256Hex, type Bytes, type Sha256Hex } from "@tutti/base";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { blobCacheBytesMax } from "../limits.ts";
import { isDiskFull } from "../store/disk-full.ts";
import { StoreFullError } from "../store/store.ts";
import { BlobCache } from "./blob-cache.ts";
import { BlobCorruptError, BlobMissingError, type BlobStore, type ByteRange } from "./blob-store.ts";
import { verifiedBlobsMax } from "./limits.ts";

export type FileBlobsOptions = { readonly cacheBytesMax?: number };

/**
 * Blobs as files `<folder>/ab/cd/abcd…`, two levels of 256 folders each. A file that has its name is whole
 * and flushed: it was written under another one. The folder belongs to one process, as the store's lock
 * promises; what a crash left half-written is removed here.
 */
export async function openFileBlobs(folder: string, { cacheBytesMax = blobCacheBytesMax }: FileBlobsOptions = {}): Promise<BlobStore> {
  const unfinished = join(folder, "unfinished");
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  return new FileBlobs({ folder, unfinished, cache: new BlobCache(cacheBytesMax) });
}

class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #unfinished: string;
  readonly #cache: BlobCache;
  readonly #writing = new Map<Sha256Hex, Promise<void>>();
  readonly #reading = new Map<Sha256Hex, Promise<Bytes>>();
  /** Blobs beyond the cache whose file has its hash, in the order in which that was seen. */
  readonly #verified = new Set<Sha256Hex>();

  constructor({ folder, unfinished, cache }: { readonly folder: string; readonly unfinished: string; readonly cache: BlobCache }) {
    this.#folder = folder;
    this.#unfinished = unfinished;
    this.#cache = cache;
  }

  async put(bytes: Uint8Array): Promise<Sha256Hex> {
    const hash = await hashOf(bytes);
    await shared(this.#writing, hash, () => this.#write(hash, bytes));
    return hash;
  }

  async byteCount(hash: Sha256Hex): Promise<number | undefined> {
    return this.#cache.get(hash)?.length ?? (await byteCountOf(this.#pathOf(hash)));
  }

  async read(hash: Sha256Hex, range?: ByteRange): Promise<Uint8Array> {
    const cached = this.#cache.get(hash);
    if (cached !== undefined) return partOf(cached, range);
    // What the cache takes is read whole, once; of the others the part will do as soon as the whole was verified.
    if (range !== undefined && this.#verified.has(hash)) return contentOf(this.#pathOf(hash), within(range, await this.#lengthOf(hash)));
    return partOf(await shared(this.#reading, hash, () => this.#readWhole(hash)), range);
  }

  async #readWhole(hash: Sha256Hex): Promise<Bytes> {
    const bytes = await contentOf(this.#pathOf(hash), { start: 0, end: await this.#lengthOf(hash) });
    const found = await hashOf(bytes);
    if (found !== hash) throw new BlobCorruptError(`the blob ${hash} has the hash ${found}`);
    if (this.#cache.holds(bytes.length)) this.#cache.add(hash, bytes);
    else this.#remember(hash);
    return bytes;
  }

  async #lengthOf(hash: Sha256Hex): Promise<number> {
    const byteCount = await byteCountOf(this.#pathOf(hash));
    if (byteCount === undefined) throw new BlobMissingError(`no blob ${hash}`);
    return byteCount;
  }

  #remember(hash: Sha256Hex): void {
    this.#verified.add(hash);
    const [first] = this.#verified;
    if (first !== undefined && this.#verified.size > verifiedBlobsMax) this.#verified.delete(first);
  }

  async #write(hash: Sha256Hex, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(hash);
    const inner = dirname(path);
    try {
      if ((await byteCountOf(path)) === undefined) {
        await mkdir(inner, { recursive: true });
        await this.#create(hash, bytes);
      }
      // Also for a blob that exists: the process that made it may have ended before its name was flushed.
      for (const folder of [inner, dirname(inner), this.#folder]) await flushFolder(folder);
    } catch (cause) {
      throw isDiskFull(cause) ? new StoreFullError(`${path}: no space left`, { cause }) : cause;
    }
  }

  async #create(hash: Sha256Hex, bytes: Uint8Array): Promise<void> {
    // One write at a time per hash.
    const unfinished = join(this.#unfinished, hash);
    try {
      const handle = await open(unfinished, "w");
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, this.#pathOf(hash));
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw cause;
    }
  }

  #pathOf(hash: Sha256Hex): string {
    return join(this.#folder, hash.slice(0, 2), hash.slice(2, 4), hash);
  }
}

/** What is under way for this hash already, or `work`, begun now: whoever asks meanwhile gets the same. */
function shared<T>(underWay: Map<Sha256Hex, Promise<T>>, hash: Sha256Hex, work: () => Promise<T>): Promise<T> {
  const known = underWay.get(hash);
  if (known !== undefined) return known;
  const begun = work().finally(() => underWay.delete(hash));
  underWay.set(hash, begun);
  return begun;
}

/** On another thread: a model of 100 MB would keep this one from answering for a while. */
async function hashOf(bytes: Uint8Array): Promise<Sha256Hex> {
  return sha256Hex(hexFromBytes(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))));
}

function partOf(bytes: Bytes, range: ByteRange | undefined): Bytes {
  if (range === undefined) return bytes;
  const { start, end } = within(range, bytes.length);
  return bytes.subarray(start, end);
}

function within({ start, end }: ByteRange, byteCount: number): ByteRange {
  assert(0 <= start && start <= end && end <= byteCount, "a range lies within its blob");
  return { start, end };
}

/** Length of the file at `path`, undefined when there is none. */
async function byteCountOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}

/** The file's bytes in `range`, fewer where it ends before. */
async function contentOf(path: string, { start, end }: ByteRange): Promise<Bytes> {
  const bytes = new Uint8Array(end - start);
  const handle = await open(path, "r");
  try {
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}

/** Makes the names in a folder durable. */
async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
