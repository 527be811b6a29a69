import { gzipSync } from "node:zlib";
import { truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { requiresData } from "../../../../test/support/requires.ts";
import { compressedBytesMax, rowsMax, unpackedBytesMax } from "../limits.ts";
import { openPopulation } from "../open-population.ts";
import { DataFolders, tableOf, watchFiles, watchHeader } from "../test/data-folder.ts";

const folders = new DataFolders();
afterEach(() => folders.remove());

const open = (path: string) => openPopulation({ kind: "folder", path });
const rows = [
  { subject: "s18", label: "WALKING" },
  { subject: "s19", label: "SEATED" },
  { subject: "s18", label: "SITTING_DOWN" },
];
const files = (changed: Readonly<Record<string, string | Uint8Array>> = {}) => folders.folder({ ...watchFiles(rows), ...changed });
const indexOf = (...lines: readonly string[]) => ({ "windows_sw_index.csv.gz": tableOf(watchHeader, lines) });

test("each subject is one person, with the windows of their rows alone, and from s19 on nobody trains", async () => {
  const { collection, schemaVersion, people } = await open(folders.folder(watchFiles(rows, (row, sample, channel) => 1000 * row + 10 * sample + channel)));
  expect([collection, schemaVersion]).toEqual(["watch-windows", 1]);
  expect(people.map(({ id, cohort }) => [id, cohort])).toEqual([["s18", "training"], ["s19", "held-out"]]);
  const [first, second] = people.map(({ examples }) => examples());
  // The places of WALKING, SITTING_DOWN and SEATED in the data set's list of labels.
  expect([first?.exampleCount, first?.targets]).toEqual([2, Int32Array.of(2, 4)]);
  expect([second?.exampleCount, second?.targets]).toEqual([1, Int32Array.of(0)]);
  expect(first?.inputs).toHaveLength(2 * 64 * 6);
  // Row 2, sample 63, channel 1: (2000 + 630 + 1)/256 m/s², in g.
  expect(first?.inputs[384 + 63 * 6 + 1]).toBeCloseTo(2631 / 256 / 9.80665, 5);
  // Row 1, sample 5, channel 5: (1000 + 50 + 5)/1024 rad/s, in units of 2 rad/s.
  expect(second?.inputs[5 * 6 + 5]).toBeCloseTo(1055 / 1024 / 2, 5);
});

test("negative counts are read with their sign and in little-endian order", async () => {
  const { people } = await open(folders.folder(watchFiles(rows, () => -256)));
  // −256 counts are −1 m/s² of the accelerometer and −1/4 rad/s of the gyroscope.
  expect(people[0]?.examples().inputs.slice(0, 4)).toEqual(Float32Array.of(-1 / 9.80665, -1 / 9.80665, -1 / 9.80665, -0.125));
});

test("a person's examples are made anew by each call", async () => {
  const { people } = await open(files());
  people[0]?.examples().inputs.fill(7);
  expect(people[0]?.examples().inputs[0]).toBe(0);
});

test.each([
  ["a label that is none", indexOf("s01,01,RUNNING,1,0", "s01,01,SEATED,1,0", "s01,01,SEATED,1,0"), 'windows_sw_index.csv.gz: row 0: expected a label of SEATED, STANDING_UP, WALKING, TURNING, SITTING_DOWN, found "RUNNING"'],
  ["a subject that is none", indexOf("s01,01,SEATED,1,0", "../s01,01,SEATED,1,0", "s01,01,SEATED,1,0"), 'row 1: expected a subject as s01, found "../s01"'],
  ["a row with a field too few", indexOf("s01,01,SEATED,1,0", "s01,01,SEATED,1"), "row 1: 5 fields; expected 6"],
  ["a row out of order", { "windows_sw_index.csv.gz": `${watchHeader}\n1,s01,01,SEATED,1,0\n0,s01,01,SEATED,1,0\n` }, 'row 0: expected the number 0 in its first field, found "1"'],
  ["an index of other fields", { "windows_sw_index.csv.gz": "row,label\n0,SEATED\n" }, `expected the header ${watchHeader}`],
  ["an index without rows", { "windows_sw_index.csv.gz": `${watchHeader}\n` }, `0 rows; expected 1 to ${rowsMax}`],
  ["an index of too many rows", { "windows_sw_index.csv.gz": `${watchHeader}${"\n".repeat(rowsMax + 2)}` }, `${rowsMax + 1} rows; expected 1 to ${rowsMax}`],
  ["fewer windows than rows", { "windows_sw.i16.gz": new Uint8Array(2 * 768) }, "windows_sw.i16.gz: 1536 bytes unpacked; expected 2304 for the 3 rows of windows_sw_index.csv.gz"],
  ["half a window too much", { "windows_sw.i16.gz": new Uint8Array(3 * 768 + 384) }, "2688 bytes unpacked; expected 2304"],
])("%s is refused, naming the file and what was expected", async (_, changed, expected) => {
  const opened = open(files(changed));
  await expect(opened).rejects.toMatchObject({ name: "DataSetError" });
  await expect(opened).rejects.toThrow(expected);
});

test("a file that is missing, damaged, cut off or no gzip is refused by name", async () => {
  const path = files();
  const file = join(path, "windows_sw.i16.gz");
  const packed = gzipSync(new Uint8Array(3 * 768).map((_, i) => (i * 2_654_435_761) >>> 24));
  writeFileSync(file, packed.subarray(0, packed.length - 20));
  await expect(open(path)).rejects.toThrow("windows_sw.i16.gz: expected an intact gzip file");
  packed[40] = (packed[40] ?? 0) ^ 0xff;
  writeFileSync(file, packed);
  await expect(open(path)).rejects.toThrow("windows_sw.i16.gz: expected an intact gzip file");
  writeFileSync(file, "not packed");
  await expect(open(path)).rejects.toThrow("windows_sw.i16.gz: expected an intact gzip file");
  unlinkSync(file);
  await expect(open(path)).rejects.toThrow("windows_sw.i16.gz: no such file");
});

test("a file that is too long, or would unpack to too much, is refused before the memory is taken", async () => {
  const path = files();
  const file = join(path, "windows_sw.i16.gz");
  // Members of a gzip file follow each other: 17 of 16 MiB are more than 256 MiB, in 280 KB.
  const member = gzipSync(new Uint8Array(unpackedBytesMax / 16));
  writeFileSync(file, Buffer.concat(Array.from({ length: 17 }, () => member)));
  await expect(open(path)).rejects.toThrow(`expected an intact gzip file of at most ${unpackedBytesMax} bytes unpacked`);
  truncateSync(file, compressedBytesMax + 1);
  await expect(open(path)).rejects.toThrow(`${compressedBytesMax + 1} bytes; expected at most ${compressedBytesMax}`);
});

test("a folder without a known data set says what it looked for, and no folder is said to be none", async () => {
  const empty = folders.folder({});
  await expect(open(empty)).rejects.toThrow("expected one of the files windows_sw_index.csv.gz, train-writers.csv.gz");
  await expect(open(join(empty, "nowhere"))).rejects.toThrow("nowhere: no such folder");
});

test("the real watches are 18 people who train and 5 who do not, with the published number of windows of each activity", async (context) => {
  const { people } = await open(requiresData(context, "har_phone_watch"));
  expect(people.filter(({ cohort }) => cohort === "training").map(({ id }) => id)).toEqual(Array.from({ length: 18 }, (_, i) => `s${String(i + 1).padStart(2, "0")}`));
  expect(people.filter(({ cohort }) => cohort === "held-out").map(({ id }) => id)).toEqual(["s19", "s20", "s21", "s22", "s23"]);
  const counts = [0, 0, 0, 0, 0];
  for (const { examples } of people) for (const target of examples().targets) counts[target] = (counts[target] ?? 0) + 1;
  // README of the data set: SEATED, STANDING_UP, WALKING, TURNING, SITTING_DOWN of the watch.
  expect(counts).toEqual([209, 418, 1754, 796, 417]);
});

test("at rest a real watch measures about 1 g", async (context) => {
  const { people } = await open(requiresData(context, "har_phone_watch"));
  const lengths = people.flatMap(({ examples }) => {
    const { inputs, targets } = examples();
    return [...targets].flatMap((target, i) => (target === 0 ? [Math.hypot(inputs[i * 384] ?? 0, inputs[i * 384 + 1] ?? 0, inputs[i * 384 + 2] ?? 0)] : []));
  });
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  expect(mean).toBeGreaterThan(0.95);
  expect(mean).toBeLessThan(1.05);
});
