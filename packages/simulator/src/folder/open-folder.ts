import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataSetError } from "../data-set-error.ts";
import type { Population } from "../population.ts";
import { openMnistWriters, trainWritersFile } from "./mnist-writers.ts";
import { openWatchWindows, watchIndexFile } from "./watch-windows.ts";

/** The data sets that are known, each recognised by one of its files. */
const dataSets = [
  { file: watchIndexFile, open: openWatchWindows },
  { file: trainWritersFile, open: openMnistWriters },
];

/** @throws DataSetError where `path` is no folder, or holds no data set that is known. */
export async function openFolder(path: string): Promise<Population> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new DataSetError(`${path}: no such folder`);
  for (const { file, open } of dataSets) {
    if ((await stat(join(path, file)).catch(() => undefined)) !== undefined) return open(path);
  }
  throw new DataSetError(`${path}: no data set that is known; expected one of the files ${dataSets.map(({ file }) => file).join(", ")}`);
}
