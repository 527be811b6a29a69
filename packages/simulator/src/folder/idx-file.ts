import { DataSetError } from "../data-set-error.ts";
import { readPacked } from "./packed-file.ts";

/** The third byte of an IDX file: its numbers are unsigned bytes. */
const unsignedByte = 0x08;

/**
 * The bytes of an IDX file (LeCun et al. 1998) of exactly these extents: two zeros, the type, the number
 * of extents, each extent as a big-endian uint32, then the numbers.
 * @throws DataSetError naming the file and what was expected there.
 */
export async function readIdx(folder: string, name: string, extents: readonly number[]): Promise<Uint8Array> {
  const { path, bytes } = await readPacked(folder, name);
  const headerBytes = 4 + 4 * extents.length;
  const isIdx = bytes.length >= headerBytes && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === unsignedByte && bytes[3] === extents.length;
  if (!isIdx) throw new DataSetError(`${path}: expected an IDX file of unsigned bytes with ${extents.length} extents`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const found = extents.map((_, i) => view.getUint32(4 + 4 * i));
  if (found.join() !== extents.join()) throw new DataSetError(`${path}: extents ${found.join(" x ")}; expected ${extents.join(" x ")}`);
  const expectedBytes = headerBytes + extents.reduce((product, extent) => product * extent, 1);
  if (bytes.length !== expectedBytes) throw new DataSetError(`${path}: ${bytes.length} bytes unpacked; expected ${expectedBytes}`);
  return bytes.subarray(headerBytes);
}
