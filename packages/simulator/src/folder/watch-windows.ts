import type { BatchSource } from "@tutti/engine";
import { DataSetError } from "../data-set-error.ts";
import type { Person, Population } from "../population.ts";
import { activities, scaledSample, watchWindows, windowChannels, windowSamples } from "../watch-window.ts";
import { readPacked, readTable, rowsByPerson, shown, type Table } from "./packed-file.ts";

export const watchIndexFile = "windows_sw_index.csv.gz";
const windowsFile = "windows_sw.i16.gz";
const indexHeader = ["row", "subject", "execution", "label", "purity", "t0_ms"];

/** Subjects from this number on never train: s19 to s23 are the held-out people of the data set's own figures. */
const firstHeldOutSubject = 19;

const windowNumbers = windowSamples * windowChannels;
/** Counts per m/s² of the accelerometer and per rad/s of the gyroscope, as the data set packs them. */
const countsPerUnit = [256, 256, 256, 1024, 1024, 1024];

type Windows = { readonly counts: Int16Array; readonly labels: readonly number[] };

/**
 * The watch windows of Matey-Sanz et al. (Data in Brief, 2023): int16 little-endian [rows, 64, 6] with
 * an index that names each window's subject and activity. One person per subject, all windows of any purity.
 * @throws DataSetError naming the file and what was expected there.
 */
export async function openWatchWindows(folder: string): Promise<Population> {
  const index = await readTable(folder, watchIndexFile, indexHeader);
  const { path, bytes } = await readPacked(folder, windowsFile);
  const expectedBytes = 2 * windowNumbers * index.rows.length;
  if (bytes.length !== expectedBytes) throw new DataSetError(`${path}: ${bytes.length} bytes unpacked; expected ${expectedBytes} for the ${index.rows.length} rows of ${watchIndexFile}`);
  const subjects = index.rows.map(([, subject], row) => subjectOf(index, subject, row));
  const windows = { counts: countsOf(bytes), labels: index.rows.map(([, , , label], row) => labelOf(index, label, row)) };
  const people = [...rowsByPerson(subjects)].map(([id, rows]): Person => ({
    id, cohort: Number(id.slice(1)) >= firstHeldOutSubject ? "held-out" : "training", examples: () => examplesOf(windows, rows),
  }));
  return { description: `the watches of ${people.length} people (Matey-Sanz et al. 2023)`, ...watchWindows, people };
}

function subjectOf({ path }: Table, subject: string | undefined, row: number): string {
  if (subject !== undefined && /^s\d{2}$/.test(subject)) return subject;
  throw new DataSetError(`${path}: row ${row}: expected a subject as s01, found ${shown(subject)}`);
}

function labelOf({ path }: Table, label: string | undefined, row: number): number {
  const id = activities.findIndex((activity) => activity === label);
  if (id === -1) throw new DataSetError(`${path}: row ${row}: expected a label of ${activities.join(", ")}, found ${shown(label)}`);
  return id;
}

/** Little-endian, whatever the machine's own order is. */
function countsOf(bytes: Uint8Array<ArrayBuffer>): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Int16Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true));
}

function examplesOf({ counts, labels }: Windows, rows: readonly number[]): BatchSource {
  const inputs = new Float32Array(rows.length * windowNumbers);
  for (const [example, row] of rows.entries()) {
    for (let i = 0; i < windowNumbers; i++) {
      const channel = i % windowChannels;
      inputs[example * windowNumbers + i] = scaledSample((counts[row * windowNumbers + i] ?? 0) / (countsPerUnit[channel] ?? 1), channel);
    }
  }
  return { exampleCount: rows.length, inputs, targets: Int32Array.from(rows, (row) => labels[row] ?? 0) };
}
