import { hexFromBytes, sha256, sha256Hex, type Bytes, type Sha256Hex } from "@tutti/base";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { StoreFullError } from "../store/store.ts";
import { BlobCorruptError, BlobMissingError } from "./blob-store.ts";
import { openFileBlobs } from "./file-blobs.ts";
import { someBytes } from "./test/blob-store-contract.ts";

const folders = mkdtempSync(join(tmpdir(), "tutti-file-blobs-"));
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(folders, "blobs-"));
});
afterAll(() => rmSync(folders, { recursive: true }));

const pathOf = (hash: Sha256Hex): string => join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);
const hashOf = (bytes: Bytes): Sha256Hex => sha256Hex(hexFromBytes(sha256(bytes)));
const filesBelow = (): readonly string[] => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);

/** The same length, one bit different. */
function damage(hash: Sha256Hex): void {
  const bytes = readFileSync(pathOf(hash));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(pathOf(hash), bytes);
}

describe("a folder of blobs", () => {
  test("still holds them when it is opened again, one file each, named by its hash", async () => {
    const before = await openFileBlobs(folder);
    const hashes = [await before.put(someBytes(900, 1)), await before.put(someBytes(900, 2)), await before.put(someBytes(900, 1))];
    const blobs = await openFileBlobs(folder);
    expect(await blobs.read(hashes[1] ?? sha256Hex("0".repeat(64)))).toEqual(someBytes(900, 2));
    expect(filesBelow().toSorted()).toEqual([...new Set(hashes)].toSorted());
  });

  test("loses what a crash left half-written, and nothing else, when it is opened", async () => {
    const hash = await (await openFileBlobs(folder)).put(someBytes(10));
    mkdirSync(join(folder, "unfinished"), { recursive: true });
    writeFileSync(join(folder, "unfinished", "0".repeat(64)), someBytes(5));
    const blobs = await openFileBlobs(folder);
    expect(filesBelow()).toEqual([hash]);
    expect(await blobs.byteCount(sha256Hex("0".repeat(64)))).toBeUndefined();
  });

  test("leaves a blob's file alone when its bytes are put again", async () => {
    const blobs = await openFileBlobs(folder);
    const hash = await blobs.put(someBytes(900));
    const { ino, mtimeMs } = statSync(pathOf(hash));
    await blobs.put(someBytes(900));
    await (await openFileBlobs(folder)).put(someBytes(900));
    expect(statSync(pathOf(hash))).toMatchObject({ ino, mtimeMs });
  });

  test.each([["with a cache", 10_000], ["without one", 0]])("refuses a file with one wrong bit, whole and in part, %s", async (_, cacheBytesMax) => {
    const hash = await (await openFileBlobs(folder)).put(someBytes(900));
    damage(hash);
    const blobs = await openFileBlobs(folder, { cacheBytesMax });
    await expect(blobs.read(hash)).rejects.toThrow(BlobCorruptError);
    await expect(blobs.read(hash, { start: 0, end: 3 })).rejects.toThrow(BlobCorruptError);
    await expect(blobs.read(hash, { start: 0, end: 3 })).rejects.toThrow(`the blob ${hash} has the hash`);
  });

  test("refuses a file that was cut short", async () => {
    const blobs = await openFileBlobs(folder);
    const hash = await blobs.put(someBytes(900));
    truncateSync(pathOf(hash), 899);
    await expect(blobs.read(hash)).rejects.toThrow(BlobCorruptError);
  });

  test("reads a blob of its cache once, and goes to the disk again for one that made way", async () => {
    const blobs = await openFileBlobs(folder, { cacheBytesMax: 2000 });
    const [first, second, third] = await Promise.all([blobs.put(someBytes(900, 1)), blobs.put(someBytes(900, 2)), blobs.put(someBytes(900, 3))]);
    await blobs.read(first);
    await blobs.read(second);
    // Used again, so that `second` is the one that `third` drives out.
    await blobs.read(first);
    await blobs.read(third);
    for (const hash of [first, second, third]) rmSync(pathOf(hash));
    expect(await blobs.read(first)).toEqual(someBytes(900, 1));
    expect(await blobs.read(third, { start: 1, end: 5 })).toEqual(someBytes(900, 3).slice(1, 5));
    await expect(blobs.read(second)).rejects.toThrow(BlobMissingError);
  });

  test("verifies a blob beyond its cache once for all of its parts, and every time for the whole", async () => {
    const blobs = await openFileBlobs(folder, { cacheBytesMax: 100 });
    const hash = await blobs.put(someBytes(900));
    await blobs.read(hash, { start: 0, end: 10 });
    damage(hash);
    // Wrong bytes, since the change came after the check: whoever downloads a blob checks its hash too.
    expect(await blobs.read(hash, { start: 0, end: 900 })).not.toEqual(someBytes(900));
    await expect(blobs.read(hash)).rejects.toThrow(BlobCorruptError);
  });

  test("takes a full disk for what it is, leaves nothing behind, and takes the blob when there is room", async () => {
    const blobs = await openFileBlobs(folder);
    const [first, second] = [hashOf(someBytes(900, 1)), hashOf(someBytes(900, 2))];
    // Every write to this device of Linux fails with ENOSPC.
    symlinkSync("/dev/full", join(folder, "unfinished", second));
    const outcomes = await Promise.allSettled([blobs.put(someBytes(900, 1)), blobs.put(someBytes(900, 2)), blobs.put(someBytes(900, 2))]);
    expect(outcomes).toEqual([
      { status: "fulfilled", value: first },
      { status: "rejected", reason: expect.any(StoreFullError) as unknown },
      { status: "rejected", reason: expect.any(StoreFullError) as unknown },
    ]);
    expect(filesBelow()).toEqual([first]);
    expect(await blobs.put(someBytes(900, 2))).toBe(second);
    expect(await blobs.read(second)).toEqual(someBytes(900, 2));
  });

  test("has no blob under a hash that differs in its last digit", async () => {
    const blobs = await openFileBlobs(folder);
    const hash = await blobs.put(someBytes(900));
    expect(await blobs.byteCount(sha256Hex(hash.slice(0, 63) + (hash.endsWith("0") ? "1" : "0")))).toBeUndefined();
  });
});
