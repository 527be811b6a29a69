import { assert } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import { DataSetError } from "../data-set-error.ts";
import type { Person, Population } from "../population.ts";
import { readIdx } from "./idx-file.ts";
import { readTable, rowsByPerson, shown } from "./packed-file.ts";

export const trainWritersFile = "train-writers.csv.gz";
const writersHeader = ["index", "label", "hsf_series", "writer_id", "writer_digit_index"];
const side = 28;
const pixelCount = side * side;
const classCount = 10;

/** One half of MNIST: grey values [rows, 28, 28] of 0..255, and for each row its digit and its writer. */
type Digits = { readonly pixels: Uint8Array; readonly labels: Uint8Array; readonly writers: readonly string[] };

/**
 * MNIST (LeCun et al. 1998) with the writer of every digit (QMNIST, Yadav and Bottou 2019): one person
 * per writer. Those of the train files train, those of the t10k files are held out; no writer is in both.
 * Inputs [28, 28, 1] grey values in 0..1.
 * @throws DataSetError naming the file and what was expected there.
 */
export async function openMnistWriters(folder: string): Promise<Population> {
  const train = await readDigits(folder, "train");
  const test = await readDigits(folder, "t10k");
  const people = [...peopleOf(train, "training"), ...peopleOf(test, "held-out")];
  const trainWriters = new Set(train.writers);
  const shared = test.writers.find((writer) => trainWriters.has(writer));
  if (shared !== undefined) throw new DataSetError(`${folder}: writer ${shared} is in the train files and in the t10k files; expected two groups of people`);
  return { description: `the digits of ${people.length} writers (MNIST, QMNIST)`, collection: "digits", schemaVersion: 1, people };
}

async function readDigits(folder: string, half: "train" | "t10k"): Promise<Digits> {
  const table = await readTable(folder, `${half}-writers.csv.gz`, writersHeader);
  const count = table.rows.length;
  const images = await readIdx(folder, `${half}-images-idx3-ubyte.gz`, [count, side, side]);
  const labels = await readIdx(folder, `${half}-labels-idx1-ubyte.gz`, [count]);
  const writers = table.rows.map(([, label, , writer], row) => {
    const digit = labels[row] ?? 0;
    if (label !== String(digit) || digit >= classCount) throw new DataSetError(`${table.path}: row ${row}: expected the digit of the labels file, ${digit} of 0..9, found ${shown(label)}`);
    if (writer === undefined || !/^\d{1,9}$/.test(writer)) throw new DataSetError(`${table.path}: row ${row}: expected a writer's number, found ${shown(writer)}`);
    return `w${writer}`;
  });
  return { pixels: images, labels, writers };
}

function peopleOf(digits: Digits, cohort: Person["cohort"]): readonly Person[] {
  return [...rowsByPerson(digits.writers)].map(([id, rows]) => ({ id, cohort, examples: () => examplesOf(digits, rows) }));
}

/** Grey values 0..255 as float32 in 0..1; looked up, because an image is made anew whenever a device reads it. */
const greys = Float32Array.from({ length: 256 }, (_, grey) => grey / 255);

function examplesOf({ pixels, labels }: Digits, rows: readonly number[]): BatchSource {
  assert(pixels.length === labels.length * pixelCount, "every label has its image");
  const inputs = new Float32Array(rows.length * pixelCount);
  for (const [example, row] of rows.entries()) {
    for (let i = 0; i < pixelCount; i++) inputs[example * pixelCount + i] = greys[pixels[row * pixelCount + i] ?? 0] ?? 0;
  }
  return { exampleCount: rows.length, inputs, targets: Int32Array.from(rows, (row) => labels[row] ?? 0) };
}
