import { readFile, stat } from "node:fs/promises";
import { CommandFailure } from "./failure.ts";

/**
 * The text of a file that a person named.
 * @throws CommandFailure naming the file: absent, no file, too long, not UTF-8.
 */
export async function readTextFile(path: string, bytesMax: number): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CommandFailure(`${path}: no such file`);
  if (!found.isFile()) throw new CommandFailure(`${path}: not a file`);
  if (found.size > bytesMax) throw new CommandFailure(`${path}: ${found.size} bytes; at most ${bytesMax} are read`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw new CommandFailure(`${path}: ${cause instanceof TypeError ? "not UTF-8 text" : String(cause)}`);
  }
}
