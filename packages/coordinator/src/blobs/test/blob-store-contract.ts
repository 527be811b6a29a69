import { equalBytes, hexFromBytes, sha256, sha256Hex, type Bytes } from "@tutti/base";
import { describe, expect, test } from "vitest";
import { BlobMissingError, type BlobStore } from "../blob-store.ts";

/** `length` bytes that differ from seed to seed. */
export function someBytes(length: number, seed = 1): Bytes {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255);
}

/** What every blob store keeps to. @param begin a store without blobs. */
export function blobStoreContract(name: string, begin: () => Promise<BlobStore>): void {
  describe(`${name}, as a blob store,`, () => {
    test("gives back what was put, under its SHA-256", async () => {
      const blobs = await begin();
      const bytes = someBytes(1000);
      const hash = await blobs.put(bytes);
      expect(hash).toBe(hexFromBytes(sha256(bytes)));
      expect(await blobs.read(hash)).toEqual(bytes);
    });

    test("keeps the blob of no bytes, whose SHA-256 is that of FIPS 180-4", async () => {
      const blobs = await begin();
      const hash = await blobs.put(new Uint8Array(0));
      expect(hash).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
      expect(await blobs.byteCount(hash)).toBe(0);
      expect(await blobs.read(hash)).toEqual(new Uint8Array(0));
    });

    test("says how long a blob is before and after it was read", async () => {
      const blobs = await begin();
      const hash = await blobs.put(someBytes(77));
      expect(await blobs.byteCount(hash)).toBe(77);
      await blobs.read(hash);
      expect(await blobs.byteCount(hash)).toBe(77);
    });

    test("has no length of a blob that was never put, and refuses to read it", async () => {
      const blobs = await begin();
      const hash = sha256Hex("0".repeat(64));
      expect(await blobs.byteCount(hash)).toBeUndefined();
      await expect(blobs.read(hash)).rejects.toThrow(BlobMissingError);
      await expect(blobs.read(hash, { start: 0, end: 1 })).rejects.toThrow(BlobMissingError);
    });

    test("keeps the same bytes once, however many put them at once, and others apart", async () => {
      const blobs = await begin();
      const hashes = await Promise.all(Array.from({ length: 40 }, (_, i) => blobs.put(someBytes(500, i % 2))));
      expect(new Set(hashes)).toEqual(new Set([hexFromBytes(sha256(someBytes(500, 0))), hexFromBytes(sha256(someBytes(500, 1)))]));
      for (const [i, hash] of hashes.slice(0, 2).entries()) expect(await blobs.read(hash)).toEqual(someBytes(500, i));
      expect(await blobs.put(someBytes(500, 0))).toBe(hashes[0]);
    });

    test("does not follow what the caller writes into its buffer after the put", async () => {
      const blobs = await begin();
      const buffer = someBytes(300);
      const hash = await blobs.put(buffer);
      buffer.fill(0);
      expect(await blobs.read(hash)).toEqual(someBytes(300));
    });

    test.each([
      [0, 0], [0, 1], [0, 1000], [999, 1000], [1000, 1000], [17, 512],
    ])("reads the bytes [%i, %i) of a thousand, first and after the whole", async (start, end) => {
      const blobs = await begin();
      const hash = await blobs.put(someBytes(1000));
      expect(await blobs.read(hash, { start, end })).toEqual(someBytes(1000).slice(start, end));
      await blobs.read(hash);
      expect(await blobs.read(hash, { start, end })).toEqual(someBytes(1000).slice(start, end));
    });

    test.each([
      [-1, 5], [6, 5], [0, 1001], [1001, 1001], [0, Number.NaN],
    ])("takes the range [%i, %i) of a thousand bytes for a broken promise", async (start, end) => {
      const blobs = await begin();
      const hash = await blobs.put(someBytes(1000));
      await expect(blobs.read(hash, { start, end })).rejects.toThrow("a range lies within its blob");
      await blobs.read(hash);
      await expect(blobs.read(hash, { start, end })).rejects.toThrow("a range lies within its blob");
    });

    test("answers a thousand readers of one blob at once", async () => {
      const blobs = await begin();
      const hash = await blobs.put(someBytes(2000));
      const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? blobs.read(hash) : blobs.read(hash, { start: i, end: 2000 }))));
      const expected = someBytes(2000);
      expect(all.every((bytes, i) => equalBytes(bytes, i % 2 === 0 ? expected : expected.subarray(i)))).toBe(true);
    });
  });
}
