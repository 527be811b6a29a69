import { textFromUtf8 } from "@tutti/base";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { DataSetError } from "../data-set-error.ts";
import { unpackedBytesMax } from "../limits.ts";
import { unpackedFile } from "./packed-file.ts";

/** A text, plain or, where its name ends in .gz, packed. @throws DataSetError where it is missing, too long, damaged or not UTF-8. */
export async function readText(path: string): Promise<string> {
  const bytes = path.endsWith(".gz") ? await unpackedFile(path) : await plainFile(path);
  const text = textFromUtf8(bytes);
  if (!text.ok) throw new DataSetError(`${path}: expected UTF-8 text`);
  return text.value;
}

/** A data set's collection is called as its file or folder, without endings. */
export function collectionOf(path: string): { readonly collection: string; readonly schemaVersion: number } {
  const name = basename(path).replace(/\.gz$/, "").replace(/\.(json|jsonl|csv)$/, "").replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, 63);
  return { collection: name === "" ? "data" : name, schemaVersion: 1 };
}

async function plainFile(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new DataSetError(`${path}: no such file`);
  if (found.size > unpackedBytesMax) throw new DataSetError(`${path}: ${found.size} bytes; expected at most ${unpackedBytesMax}`);
  return readFile(path);
}
