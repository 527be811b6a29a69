import { textFromUtf8, type Bytes } from "@tutti/base";
import { readFile, stat } from "node:fs/promises";
import { CommandFailure } from "./failure.ts";

/**
 * The bytes of a file that a person named.
 * @throws CommandFailure naming the file: absent, no file, too long.
 */
export async function readBytesFile(path: string, bytesMax: number): Promise<Bytes> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CommandFailure(`${path}: no such file`);
  if (!found.isFile()) throw new CommandFailure(`${path}: not a file`);
  if (found.size > bytesMax) throw new CommandFailure(`${path}: ${found.size} bytes; at most ${bytesMax} are read`);
  return new Uint8Array(await readFile(path));
}

/**
 * The text of a file that a person named.
 * @throws CommandFailure naming the file: absent, no file, too long, not UTF-8.
 */
export async function readTextFile(path: string, bytesMax: number): Promise<string> {
  const text = textFromUtf8(await readBytesFile(path, bytesMax));
  if (!text.ok) throw new CommandFailure(`${path}: not UTF-8 text`);
  return text.value;
}
