import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { DataSetError } from "../data-set-error.ts";
import { compressedBytesMax, rowsMax, unpackedBytesMax } from "../limits.ts";

const unpack = promisify(gunzip);

/** A file of a data set, unpacked; `path` is for the words of a refusal. */
export type PackedFile = { readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> };

/** A table: its rows without the header, as fields of text. */
export type Table = { readonly path: string; readonly rows: readonly (readonly string[])[] };

/** A gzip file within its limits. @throws DataSetError where it is missing, too long or damaged. */
export async function readPacked(folder: string, name: string): Promise<PackedFile> {
  const path = join(folder, name);
  return { path, bytes: await unpackedFile(path) };
}

/** The content of a gzip file. @throws DataSetError as `readPacked` does. */
export async function unpackedFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new DataSetError(`${path}: no such file`);
  if (found.size > compressedBytesMax) throw new DataSetError(`${path}: ${found.size} bytes; expected at most ${compressedBytesMax}`);
  try {
    const bytes = await unpack(await readFile(path), { maxOutputLength: unpackedBytesMax });
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (cause) {
    throw new DataSetError(`${path}: expected an intact gzip file of at most ${unpackedBytesMax} bytes unpacked: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/**
 * A gzip file of comma-separated rows under exactly this header; nothing is quoted in it. Each row's
 * first field is its number from 0 on: a table whose rows are in another order belongs to other data.
 * @throws DataSetError naming the first row that breaks this.
 */
export async function readTable(folder: string, name: string, header: readonly string[]): Promise<Table> {
  const { path, bytes } = await readPacked(folder, name);
  const lines = new TextDecoder().decode(bytes).replace(/\n$/, "").split("\n");
  if (lines[0] !== header.join(",")) throw new DataSetError(`${path}: expected the header ${header.join(",")}`);
  const rowCount = lines.length - 1;
  if (rowCount === 0 || rowCount > rowsMax) throw new DataSetError(`${path}: ${rowCount} rows; expected 1 to ${rowsMax}`);
  const rows = lines.slice(1).map((line) => line.split(","));
  for (const [i, row] of rows.entries()) {
    if (row.length !== header.length) throw new DataSetError(`${path}: row ${i}: ${row.length} fields; expected ${header.length}`);
    if (row[0] !== String(i)) throw new DataSetError(`${path}: row ${i}: expected the number ${i} in its first field, found ${shown(row[0])}`);
  }
  return { path, rows };
}

/** Text from a file as a refusal quotes it. */
export function shown(text: string | undefined): string {
  return JSON.stringify((text ?? "").slice(0, 40));
}

/** The numbers of the rows that belong to each person, in the order in which the people appear. */
export function rowsByPerson(people: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const rows = new Map<string, number[]>();
  for (const [row, person] of people.entries()) {
    const known = rows.get(person);
    if (known === undefined) rows.set(person, [row]);
    else known.push(row);
  }
  return rows;
}
