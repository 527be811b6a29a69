import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Folders of small data sets that a test writes; `remove` takes all of them away. */
export class DataFolders {
  readonly #made: string[] = [];

  /** A new folder with each content, packed, under its name. */
  folder(files: Readonly<Record<string, string | Uint8Array>>): string {
    const folder = mkdtempSync(join(tmpdir(), "tutti-data-"));
    this.#made.push(folder);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), gzipSync(content));
    return folder;
  }

  remove(): void {
    for (const folder of this.#made.splice(0)) rmSync(folder, { recursive: true });
  }
}

/** Rows of an index: a header, then lines that begin with their number. */
export function tableOf(header: string, rows: readonly string[]): string {
  return [header, ...rows.map((row, i) => `${i},${row}`)].join("\n") + "\n";
}

export const watchHeader = "row,subject,execution,label,purity,t0_ms";

/** A folder of watch windows; `countAt` gives the int16 of a row, a sample and a channel. */
export function watchFiles(rows: readonly { readonly subject: string; readonly label: string }[], countAt: (row: number, sample: number, channel: number) => number = () => 0): Record<string, string | Uint8Array> {
  const windows = new DataView(new ArrayBuffer(rows.length * 64 * 6 * 2));
  for (let i = 0; i < rows.length * 64 * 6; i++) windows.setInt16(2 * i, countAt(Math.floor(i / 384), Math.floor(i / 6) % 64, i % 6), true);
  return {
    "windows_sw_index.csv.gz": tableOf(watchHeader, rows.map(({ subject, label }) => `${subject},01,${label},0.9,1657533977810`)),
    "windows_sw.i16.gz": new Uint8Array(windows.buffer),
  };
}

export const writersHeader = "index,label,hsf_series,writer_id,writer_digit_index";

/** An IDX file of unsigned bytes. */
export function idxOf(extents: readonly number[], numbers: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 + 4 * extents.length + numbers.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 + extents.length);
  for (const [i, extent] of extents.entries()) view.setUint32(4 + 4 * i, extent);
  file.set(numbers, 4 + 4 * extents.length);
  return file;
}

type Digit = { readonly writer: number; readonly label: number; readonly grey: number };

/** A folder of digits, each image of one grey value. */
export function mnistFiles(halves: { readonly train: readonly Digit[]; readonly t10k: readonly Digit[] }): Record<string, string | Uint8Array> {
  return Object.fromEntries(Object.entries(halves).flatMap(([half, digits]): [string, string | Uint8Array][] => {
    const pixels = Uint8Array.from({ length: digits.length * 784 }, (_, i) => digits[Math.floor(i / 784)]?.grey ?? 0);
    return [
      [`${half}-images-idx3-ubyte.gz`, idxOf([digits.length, 28, 28], pixels)],
      [`${half}-labels-idx1-ubyte.gz`, idxOf([digits.length], Uint8Array.from(digits, ({ label }) => label))],
      [`${half}-writers.csv.gz`, tableOf(writersHeader, digits.map(({ writer, label }, i) => `${label},4,${writer},${i}`))],
    ];
  }));
}
