import type { RoundId } from "@tutti/protocol";
import { mkdirSync } from "node:fs";
import { open, readdir, readFile, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { isDiskFull } from "../store/disk-full.ts";
import { StoreFullError } from "../store/store.ts";
import type { CheckpointFiles, CheckpointPlace } from "./checkpoint-files.ts";

const ending = ".sum";

/** Two files per open round in `folder`, kept open between writes: what a checkpoint costs is its bytes and one flush. */
export function nodeCheckpointFiles(folder: string): CheckpointFiles {
  mkdirSync(folder, { recursive: true });
  const handles = new Map<string, Promise<FileHandle>>();
  const pathOf = (round: RoundId, place: CheckpointPlace): string => join(folder, `${round}.${place}${ending}`);
  const handleOf = (path: string): Promise<FileHandle> => {
    const known = handles.get(path) ?? createDurably(folder, path);
    handles.set(path, known);
    return known;
  };
  const remove = async (path: string): Promise<void> => {
    const handle = handles.get(path);
    handles.delete(path);
    await (await handle?.catch(() => undefined))?.close();
    await rm(path, { force: true });
  };
  return {
    read: async (round) => [await contentOf(pathOf(round, 0)), await contentOf(pathOf(round, 1))],
    write: async (round, place, parts) => {
      const path = pathOf(round, place);
      try {
        await replaceContent(await handleOf(path), parts);
      } catch (cause) {
        // A handle that failed is not trusted again.
        handles.delete(path);
        throw isDiskFull(cause) ? new StoreFullError(`${path}: no space left`) : cause;
      }
    },
    remove: async (round) => {
      await remove(pathOf(round, 0));
      await remove(pathOf(round, 1));
    },
    keepOnly: async (rounds) => {
      const kept = new Set([...rounds].flatMap((round) => [`${round}.0${ending}`, `${round}.1${ending}`]));
      for (const name of await readdir(folder)) if (name.endsWith(ending) && !kept.has(name)) await remove(join(folder, name));
    },
  };
}

/** The name of a new file is durable before anything in it counts. */
async function createDurably(folder: string, path: string): Promise<FileHandle> {
  const handle = await open(path, "w");
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return handle;
}

async function replaceContent(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  const byteCount = parts.reduce((sum, part) => sum + part.length, 0);
  let left: readonly Uint8Array[] = parts;
  for (let at = 0; at < byteCount; ) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = withoutFirst(left, bytesWritten);
  }
  await handle.truncate(byteCount);
  await handle.datasync();
}

function withoutFirst(parts: readonly Uint8Array[], byteCount: number): readonly Uint8Array[] {
  let skipped = byteCount;
  return parts.flatMap((part) => {
    const dropped = Math.min(skipped, part.length);
    skipped -= dropped;
    return dropped === part.length ? [] : [part.subarray(dropped)];
  });
}

async function contentOf(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}
