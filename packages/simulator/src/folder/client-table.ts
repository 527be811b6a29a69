import { DataSetError } from "../data-set-error.ts";
import { exampleNumbersMax, labelMax, rowsMax } from "../limits.ts";
import type { Person, Population } from "../population.ts";
import { peopleOf, type ClientExamples } from "./client-examples.ts";
import { shown } from "./packed-file.ts";
import { collectionOf, readText } from "./text-file.ts";

/** One example of a table. `label`: a class id, or with `isClass` false a value. */
type Row = { readonly client: string; readonly cohort: Person["cohort"] | undefined; readonly label: number; readonly features: readonly number[] };
type Table = { readonly path: string; readonly isClass: boolean; readonly rows: readonly Row[] };

/**
 * A CSV file under a header that names the columns: `client` whose example it is, `label` (a class id) or
 * `target` (a number), where it is given `split` (train or test), and all others features. Nothing is quoted in it.
 * @throws DataSetError naming the file, the line and what was expected there.
 */
export async function openCsv(path: string): Promise<Population> {
  const [header = "", ...lines] = linesOf(await readText(path));
  const names = header.split(",").map((name) => name.trim());
  const columns = columnsOf(path, names);
  const rows = rowsOf(path, lines, 2, (line, refuse) => {
    const fields = line.split(",");
    if (fields.length !== names.length) throw refuse(`${names.length} fields as in the header; found ${fields.length}`);
    const numberAt = (column: number): number => (fields[column]?.trim() === "" ? Number.NaN : Number(fields[column]));
    return { client: fields[columns.client]?.trim(), split: columns.split === -1 ? undefined : fields[columns.split]?.trim(), label: numberAt(columns.label), features: columns.features.map(numberAt) };
  }, columns.isClass);
  return populationOf({ path, isClass: columns.isClass, rows });
}

/**
 * JSON lines, each one example: `{ "client": "a", "label": 3, "features": [0.5, 1] }`, or `target` instead of `label`,
 * and where it is given `"split": "train"` or `"test"`.
 * @throws DataSetError naming the file, the line and what was expected there.
 */
export async function openJsonl(path: string): Promise<Population> {
  const lines = linesOf(await readText(path));
  const isClass = !/"target"\s*:/.test(lines[0] ?? "");
  const rows = rowsOf(path, lines, 1, (line, refuse) => {
    const object = objectOf(line, refuse);
    const { client, split, features } = object;
    if (!Array.isArray(features)) throw refuse('a list of numbers as "features"');
    return { client, split, label: object[isClass ? "label" : "target"], features };
  }, isClass);
  return populationOf({ path, isClass, rows });
}

type RawRow = { readonly client: unknown; readonly split: unknown; readonly label: unknown; readonly features: readonly unknown[] };
type Refuse = (expected: string) => DataSetError;

function rowsOf(path: string, lines: readonly string[], firstLine: number, read: (line: string, refuse: Refuse) => RawRow, isClass: boolean): readonly Row[] {
  if (lines.length === 0 || lines.length > rowsMax) throw new DataSetError(`${path}: ${lines.length} examples; expected 1 to ${rowsMax}`);
  let width: number | undefined;
  return lines.map((line, i) => {
    const refuse: Refuse = (expected) => new DataSetError(`${path}: line ${firstLine + i}: expected ${expected}`);
    const row = checkedRow(read(line, refuse), refuse, isClass);
    width ??= row.features.length;
    if (row.features.length !== width) throw refuse(`${width} features as in the first example; found ${row.features.length}`);
    return row;
  });
}

function checkedRow({ client, split, label, features }: RawRow, refuse: Refuse, isClass: boolean): Row {
  if (typeof client !== "string" && typeof client !== "number") throw refuse("a client: a text or a number");
  if (String(client) === "") throw refuse("a client that has a name");
  if (split !== undefined && split !== "train" && split !== "test") throw refuse(`train or test as split; found ${shown(JSON.stringify(split))}`);
  if (!isFloat(label)) throw refuse(isClass ? "a class id as label" : "a number as target");
  if (isClass && !(Number.isInteger(label) && label >= 0 && label <= labelMax)) throw refuse(`a class id from 0 to ${labelMax} as label; found ${label}`);
  if (features.length === 0 || features.length > exampleNumbersMax) throw refuse(`1 to ${exampleNumbersMax} features; found ${features.length}`);
  if (!features.every(isFloat)) throw refuse(`numbers as features; feature ${features.findIndex((value) => !isFloat(value))} is none`);
  return { client: String(client), cohort: cohortOf(split), label, features };
}

/** A number that float32 holds. */
function isFloat(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(Math.fround(value));
}

function cohortOf(split: "train" | "test" | undefined): Person["cohort"] | undefined {
  if (split === undefined) return undefined;
  return split === "test" ? "held-out" : "training";
}

type Columns = { readonly client: number; readonly label: number; readonly split: number; readonly features: readonly number[]; readonly isClass: boolean };

function columnsOf(path: string, names: readonly string[]): Columns {
  const refuse = (expected: string): DataSetError => new DataSetError(`${path}: line 1: expected ${expected}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw refuse(`each column once; ${shown(twice)} is there twice`);
  const [client, classes, values, split] = ["client", "label", "target", "split"].map((name) => names.indexOf(name)) as [number, number, number, number];
  if (client === -1) throw refuse("a header with a column client");
  if ((classes === -1) === (values === -1)) throw refuse("a header with one column label (class ids) or target (numbers)");
  const label = Math.max(classes, values);
  const features = [...names.keys()].filter((column) => ![client, label, split].includes(column));
  return { client, label, split, features, isClass: classes !== -1 };
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line, i, lines) => line !== "" || i < lines.length - 1);
}

function objectOf(line: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw refuse("a JSON object");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse("a JSON object");
  return value as Readonly<Record<string, unknown>>;
}

/** A client whose rows are split between train and test is two devices: one learns, the other judges. */
function populationOf({ path, isClass, rows }: Table): Population {
  const byClient = Map.groupBy(rows, ({ client, cohort }) => JSON.stringify([client, cohort ?? null]));
  const training = new Set(rows.filter(({ cohort }) => cohort !== "held-out").map(({ client }) => client));
  const clients = [...byClient.values()].flatMap((own): readonly ClientExamples[] => {
    const [first] = own;
    if (first === undefined) return [];
    const id = first.cohort === "held-out" && training.has(first.client) ? `${first.client}:test` : first.client;
    const width = first.features.length;
    const inputs = new Float32Array(own.length * width);
    for (const [row, { features }] of own.entries()) inputs.set(features, row * width);
    const labels = own.map(({ label }) => label);
    return [{ id, cohort: first.cohort, examples: { exampleCount: own.length, inputs, targets: isClass ? Int32Array.from(labels) : Float32Array.from(labels) } }];
  });
  return { description: `${clients.length} clients of ${path}`, ...collectionOf(path), people: peopleOf(clients) };
}
