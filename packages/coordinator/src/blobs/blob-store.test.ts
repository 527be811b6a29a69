import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openFileBlobs } from "./file-blobs.ts";
import { memoryBlobs } from "./memory-blobs.ts";
import { blobStoreContract } from "./test/blob-store-contract.ts";

const folders = mkdtempSync(join(tmpdir(), "tutti-blobs-"));
const newFolder = (): string => mkdtempSync(join(folders, "blobs-"));

afterAll(() => rmSync(folders, { recursive: true }));

blobStoreContract("memory", () => Promise.resolve(memoryBlobs()));
blobStoreContract("a folder", () => openFileBlobs(newFolder()));
blobStoreContract("a folder whose cache holds one of the blobs", () => openFileBlobs(newFolder(), { cacheBytesMax: 1000 }));
blobStoreContract("a folder without a cache", () => openFileBlobs(newFolder(), { cacheBytesMax: 0 }));
