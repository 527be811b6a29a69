import { afterEach, expect, test } from "vitest";
import { requiresData } from "../../../../test/support/requires.ts";
import { openPopulation } from "../open-population.ts";
import { DataFolders, idxOf, mnistFiles, tableOf, writersHeader } from "../test/data-folder.ts";

const folders = new DataFolders();
afterEach(() => folders.remove());

const open = (path: string) => openPopulation({ kind: "folder", path });
const halves = {
  train: [{ writer: 2154, label: 5, grey: 255 }, { writer: 7, label: 0, grey: 51 }, { writer: 2154, label: 9, grey: 0 }],
  t10k: [{ writer: 90, label: 1, grey: 102 }],
};

test("each writer is one person with their own digits in 0..1, and the writers of the t10k files are held out", async () => {
  const { collection, schemaVersion, people } = await open(folders.folder(mnistFiles(halves)));
  expect([collection, schemaVersion]).toEqual(["digits", 1]);
  expect(people.map(({ id, cohort }) => [id, cohort])).toEqual([["w2154", "training"], ["w7", "training"], ["w90", "held-out"]]);
  const [first, second, last] = people.map(({ examples }) => examples());
  expect([first?.exampleCount, first?.targets, first?.inputs.length]).toEqual([2, Int32Array.of(5, 9), 2 * 784]);
  expect([first?.inputs[783], first?.inputs[784]]).toEqual([1, 0]);
  // 51/255 and 102/255
  expect([second?.inputs[0], last?.inputs[0]]).toEqual([Math.fround(0.2), Math.fround(0.4)]);
  expect(last?.targets).toEqual(Int32Array.of(1));
});

test.each([
  ["another magic number", { "train-images-idx3-ubyte.gz": Uint8Array.of(0, 0, 0x0d, 3, ...new Uint8Array(12 + 3 * 784)) }, "train-images-idx3-ubyte.gz: expected an IDX file of unsigned bytes with 3 extents"],
  ["a header that is cut off", { "train-labels-idx1-ubyte.gz": Uint8Array.of(0, 0, 8, 1, 0, 0) }, "train-labels-idx1-ubyte.gz: expected an IDX file of unsigned bytes with 1 extents"],
  ["images of another number than writers", { "train-images-idx3-ubyte.gz": idxOf([2, 28, 28], new Uint8Array(2 * 784)) }, "train-images-idx3-ubyte.gz: extents 2 x 28 x 28; expected 3 x 28 x 28"],
  ["images of another shape", { "t10k-images-idx3-ubyte.gz": idxOf([1, 14, 56], new Uint8Array(784)) }, "t10k-images-idx3-ubyte.gz: extents 1 x 14 x 56; expected 1 x 28 x 28"],
  ["fewer pixels than the header says", { "train-images-idx3-ubyte.gz": idxOf([3, 28, 28], new Uint8Array(3 * 784 - 1)) }, `${16 + 3 * 784 - 1} bytes unpacked; expected ${16 + 3 * 784}`],
  ["labels that differ from the writers' table", { "train-labels-idx1-ubyte.gz": idxOf([3], Uint8Array.of(5, 0, 8)) }, 'train-writers.csv.gz: row 2: expected the digit of the labels file, 8 of 0..9, found "9"'],
  ["a label that is no digit", { "t10k-labels-idx1-ubyte.gz": idxOf([1], Uint8Array.of(10)), "t10k-writers.csv.gz": tableOf(writersHeader, ["10,4,90,0"]) }, "t10k-writers.csv.gz: row 0: expected the digit of the labels file, 10 of 0..9"],
  ["a writer that is no number", { "t10k-writers.csv.gz": tableOf(writersHeader, ["1,4,w90,0"]) }, 'row 0: expected a writer\'s number, found "w90"'],
  ["a writer on both sides", { "t10k-writers.csv.gz": tableOf(writersHeader, ["1,4,7,0"]) }, "writer w7 is in the train files and in the t10k files; expected two groups of people"],
])("%s is refused, naming the file and what was expected", async (_, changed, expected) => {
  const opened = open(folders.folder({ ...mnistFiles(halves), ...(changed as Readonly<Record<string, string | Uint8Array>>) }));
  await expect(opened).rejects.toMatchObject({ name: "DataSetError" });
  await expect(opened).rejects.toThrow(expected);
});

test("MNIST is 539 writers who train and 297 others, with 60 000 and 10 000 digits in the published classes", async (context) => {
  const { people } = await open(requiresData(context, "mnist"));
  const counts = { training: new Int32Array(10), "held-out": new Int32Array(10) };
  for (const { cohort, examples } of people) {
    for (const target of examples().targets) counts[cohort].set([(counts[cohort][target] ?? 0) + 1], target);
  }
  expect(people.filter(({ cohort }) => cohort === "training")).toHaveLength(539);
  expect(people).toHaveLength(539 + 297);
  // README of the data set, classes 0..9.
  expect([...counts.training]).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  expect([...counts["held-out"]]).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
});
