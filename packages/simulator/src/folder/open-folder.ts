import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataSetError } from "../data-set-error.ts";
import type { Population } from "../population.ts";
import { openCsv, openJsonl } from "./client-table.ts";
import { isLeafFolder, openLeafFile, openLeafFolder } from "./leaf.ts";
import { openMnistWriters, trainWritersFile } from "./mnist-writers.ts";
import { openWatchWindows, watchIndexFile } from "./watch-windows.ts";

/** The data sets that are known, each recognised by one of its files. */
const dataSets = [
  { file: watchIndexFile, open: openWatchWindows },
  { file: trainWritersFile, open: openMnistWriters },
];

/** The files that are known, each recognised by its ending. */
const fileKinds = [
  { ending: /\.json(\.gz)?$/, open: openLeafFile },
  { ending: /\.jsonl(\.gz)?$/, open: openJsonl },
  { ending: /\.csv(\.gz)?$/, open: openCsv },
];

/** The data set at `path`: a folder, or a file. @throws DataSetError where there is none, or none that is known. */
export async function openFolder(path: string): Promise<Population> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() === true) return openFile(path);
  if (found?.isDirectory() !== true) throw new DataSetError(`${path}: no such folder`);
  for (const { file, open } of dataSets) {
    if ((await stat(join(path, file)).catch(() => undefined)) !== undefined) return open(path);
  }
  if (await isLeafFolder(path)) return openLeafFolder(path);
  throw new DataSetError(`${path}: no data set that is known; expected one of the files ${dataSets.map(({ file }) => file).join(", ")}, or folders train and test or all_data as LEAF writes them`);
}

async function openFile(path: string): Promise<Population> {
  const kind = fileKinds.find(({ ending }) => ending.test(path));
  if (kind === undefined) throw new DataSetError(`${path}: expected a file of LEAF (.json), JSON lines (.jsonl) or a table (.csv), each also as .gz`);
  return kind.open(path);
}
