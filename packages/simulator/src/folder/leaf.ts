import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BatchSource } from "@tutti/engine";
import { DataSetError } from "../data-set-error.ts";
import { exampleNumbersMax, labelMax, leafFilesMax, rowsMax } from "../limits.ts";
import type { Person, Population } from "../population.ts";
import { peopleOf, type ClientExamples } from "./client-examples.ts";
import { shown } from "./packed-file.ts";
import { collectionOf, readText } from "./text-file.ts";

/** Where LEAF puts its files: users that train and users that test, or all before they are split. */
const halves = [{ name: "train", cohort: "training" }, { name: "test", cohort: "held-out" }] as const;
const allFolder = "all_data";

/** Whether `folder` holds files as LEAF writes them. */
export async function isLeafFolder(folder: string): Promise<boolean> {
  for (const name of ["train", allFolder]) if ((await stat(join(folder, name)).catch(() => undefined))?.isDirectory() === true) return true;
  return false;
}

/**
 * A data set of LEAF (Caldas et al. 2018) whose examples are numbers: `users`, `num_samples` and
 * `user_data`, for each user x [examples, numbers] and y [examples]. One person per user; where LEAF split each
 * user's own examples, the part that tests is a device of its own.
 * @throws DataSetError naming the file, the field and what was expected there.
 */
export async function openLeafFolder(folder: string): Promise<Population> {
  const isSplit = (await stat(join(folder, "train")).catch(() => undefined))?.isDirectory() === true;
  const clients: ClientExamples[] = [];
  const parts: readonly { readonly name: string; readonly cohort: Person["cohort"] | undefined }[] = isSplit ? halves : [{ name: allFolder, cohort: undefined }];
  for (const { name, cohort } of parts) for (const path of await leafFiles(join(folder, name))) clients.push(...leafClients(path, await readText(path), cohort));
  return leafPopulation(folder, clients);
}

/** One file of LEAF, plain or packed. @throws DataSetError as `openLeafFolder` does. */
export async function openLeafFile(path: string): Promise<Population> {
  return leafPopulation(path, leafClients(path, await readText(path), undefined));
}

async function leafFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const paths = names.filter((name) => /\.json(\.gz)?$/.test(name)).toSorted().map((name) => join(folder, name));
  if (paths.length === 0 || paths.length > leafFilesMax) throw new DataSetError(`${folder}: ${paths.length} .json files; expected 1 to ${leafFilesMax}`);
  return paths;
}

function leafPopulation(path: string, clients: readonly ClientExamples[]): Population {
  const known = new Set<string>();
  for (const { id, cohort, examples } of clients) {
    const key = `${cohort ?? ""}/${id}`;
    if (known.has(key)) throw new DataSetError(`${path}: user ${shown(id)} is in two places; expected each user once`);
    known.add(key);
    assertSameWidth(path, id, examples, clients[0]?.examples ?? examples);
  }
  const rowCount = clients.reduce((sum, { examples }) => sum + examples.exampleCount, 0);
  if (rowCount > rowsMax) throw new DataSetError(`${path}: ${rowCount} examples; expected at most ${rowsMax}`);
  const training = new Set(clients.filter(({ cohort }) => cohort === "training").map(({ id }) => id));
  const named = clients.map((client) => (client.cohort === "held-out" && training.has(client.id) ? { ...client, id: `${client.id}:test` } : client));
  return { description: `${clients.length} clients of ${path} (LEAF)`, ...collectionOf(path), people: peopleOf(named) };
}

function assertSameWidth(path: string, id: string, examples: BatchSource, first: BatchSource): void {
  const width = (source: BatchSource): number => source.inputs.length / source.exampleCount;
  if (width(examples) !== width(first)) throw new DataSetError(`${path}: user ${shown(id)}: ${width(examples)} numbers for each example; expected ${width(first)} as for the first user`);
}

function leafClients(path: string, text: string, cohort: Person["cohort"] | undefined): readonly ClientExamples[] {
  const document = recordIn(path, "/", parsed(path, text));
  const users = listIn(path, "/users", document["users"]);
  const counts = listIn(path, "/num_samples", document["num_samples"]);
  const data = recordIn(path, "/user_data", document["user_data"]);
  if (users.length === 0 || counts.length !== users.length) throw refused(path, "/num_samples", `a count for each of at least one user; found ${counts.length} for ${users.length}`);
  return users.map((user, i) => {
    if (typeof user !== "string" || user === "") throw refused(path, `/users/${i}`, "a user's name");
    const at = `/user_data/${user}`;
    const own = recordIn(path, at, Object.hasOwn(data, user) ? data[user] : undefined);
    return { id: user, cohort, examples: leafExamples(path, at, { x: listIn(path, `${at}/x`, own["x"]), y: listIn(path, `${at}/y`, own["y"]), count: counts[i] }) };
  });
}

function leafExamples(path: string, at: string, { x, y, count }: { readonly x: readonly unknown[]; readonly y: readonly unknown[]; readonly count: unknown }): BatchSource {
  if (x.length === 0 || x.length !== count) throw refused(path, `${at}/x`, `as many examples as num_samples says (${shown(JSON.stringify(count))}), at least one; found ${x.length}`);
  if (y.length !== x.length) throw refused(path, `${at}/y`, `a label for each of ${x.length} examples; found ${y.length}`);
  const width = listIn(path, `${at}/x/0`, x[0]).length;
  if (width === 0 || width > exampleNumbersMax) throw refused(path, `${at}/x/0`, `1 to ${exampleNumbersMax} numbers; found ${width}`);
  const inputs = new Float32Array(x.length * width);
  for (const [row, values] of x.entries()) inputs.set(numbersIn(path, `${at}/x/${row}`, values, width), row * width);
  const targets = Int32Array.from(y, (label, row) => {
    if (typeof label === "number" && Number.isInteger(label) && label >= 0 && label <= labelMax) return label;
    throw refused(path, `${at}/y/${row}`, `a class id from 0 to ${labelMax}`);
  });
  return { exampleCount: x.length, inputs, targets };
}

function numbersIn(path: string, at: string, value: unknown, width: number): readonly number[] {
  const values = listIn(path, at, value);
  const isNumeric = (item: unknown): item is number => typeof item === "number" && Number.isFinite(Math.fround(item));
  if (values.length !== width || !values.every(isNumeric)) throw refused(path, at, `${width} numbers, as in this user's first example`);
  return values;
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DataSetError(`${path}: expected JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function recordIn(path: string, at: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refused(path, at, "an object, as LEAF writes it");
  return value as Readonly<Record<string, unknown>>;
}

function listIn(path: string, at: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw refused(path, at, "a list");
  return value;
}

function refused(path: string, at: string, expected: string): DataSetError {
  return new DataSetError(`${path}: ${at.slice(0, 200)}: expected ${expected}`);
}
