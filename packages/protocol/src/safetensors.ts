import { concatBytes, err, ok, textFromUtf8, utf8FromText, type Bytes, type Result } from "@tutti/base";
import { parseJson } from "./decode.ts";
import { safetensorsHeaderBytesMax, safetensorsTensorsMax, tensorRankMax } from "./limits.ts";

const elementBytes = { F32: 4, U8: 1, U16: 2, U32: 4 } as const;
export type TensorType = keyof typeof elementBytes;

/** One tensor of a file: row-major little-endian bytes. */
export type Tensor = { readonly name: string; readonly type: TensorType; readonly shape: readonly number[]; readonly bytes: Uint8Array };

/** Where a tensor lies: offsets in bytes from the start of the data section. */
export type TensorPlace = Omit<Tensor, "bytes"> & { readonly start: number; readonly end: number };

export type SafetensorsHeader = {
  readonly tensors: readonly TensorPlace[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes before the data section: 8 for the length and the header itself. */
  readonly dataStart: number;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
};

export type SafetensorsFault = { readonly code: "malformed"; readonly path: string; readonly expected: string };

/**
 * The bytes of a safetensors file (Hugging Face, format 0.4): u64le header length, JSON header padded
 * with spaces to 8 bytes so that float32 data is aligned, then the tensors in the given order.
 */
export function encodeSafetensors(tensors: readonly Tensor[], metadata: Readonly<Record<string, string>>): Bytes {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  for (const tensor of tensors) {
    header[tensor.name] = { dtype: tensor.type, shape: tensor.shape, data_offsets: [at, at + tensor.bytes.length] };
    at += tensor.bytes.length;
  }
  const text = utf8FromText(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return concatBytes(length, padded, ...tensors.map((tensor) => tensor.bytes));
}

/** Bytes needed to know the header's length. */
export const safetensorsPrefixBytes = 8;

/** Length of the JSON header that the first 8 bytes announce. */
export function safetensorsHeaderLength(prefix: Uint8Array): Result<number, SafetensorsFault> {
  if (prefix.length < safetensorsPrefixBytes) return fault("/", "at least 8 bytes");
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length < 2n || length > BigInt(safetensorsHeaderBytesMax)) return fault("/", `a header of 2 to ${safetensorsHeaderBytesMax} bytes`);
  return ok(Number(length));
}

/**
 * The checked header: names unique, shapes and offsets that agree, no gap, no overlap, nothing after
 * the last tensor. @param json the header's bytes. @param fileBytes length of the whole file.
 */
export function decodeSafetensorsHeader(json: Uint8Array, fileBytes: number): Result<SafetensorsHeader, SafetensorsFault> {
  const text = textFromUtf8(json);
  if (!text.ok) return fault("/", "a UTF-8 header");
  const parsed = parseJson(text.value);
  if (!parsed.ok) return parsed;
  if (!isRecord(parsed.value)) return fault("/", "a header that is a JSON object");
  const { __metadata__: rawMetadata = {}, ...rawTensors } = parsed.value;
  if (!isTextRecord(rawMetadata)) return fault("/__metadata__", "a map of texts");
  const entries = Object.entries(rawTensors);
  if (entries.length > safetensorsTensorsMax) return fault("/", `at most ${safetensorsTensorsMax} tensors`);
  const places: TensorPlace[] = [];
  for (const [name, raw] of entries) {
    const place = decodePlace(name, raw);
    if (!place.ok) return place;
    places.push(place.value);
  }
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  const dataStart = safetensorsPrefixBytes + json.length;
  const dataEnd = placesEnd(places);
  if (!dataEnd.ok) return dataEnd;
  if (dataStart + dataEnd.value !== fileBytes) return fault("/", `a file of ${dataStart + dataEnd.value} bytes, as its header says, not ${fileBytes}`);
  return ok({ tensors: places, metadata: rawMetadata, dataStart, fileBytes });
}

/** A whole file in memory; tensors are views into `file`, in the order in which they lie. */
export function decodeSafetensors(file: Uint8Array): Result<{ readonly tensors: readonly Tensor[]; readonly metadata: Readonly<Record<string, string>> }, SafetensorsFault> {
  const length = safetensorsHeaderLength(file);
  if (!length.ok) return length;
  if (safetensorsPrefixBytes + length.value > file.length) return fault("/", "a header inside the file");
  const header = decodeSafetensorsHeader(file.subarray(safetensorsPrefixBytes, safetensorsPrefixBytes + length.value), file.length);
  if (!header.ok) return header;
  const { dataStart, metadata } = header.value;
  const tensors = header.value.tensors.map(({ name, type, shape, start, end }) => ({ name, type, shape, bytes: file.subarray(dataStart + start, dataStart + end) }));
  return ok({ tensors, metadata });
}

/** Little-endian float32 values of `bytes`, copied, whatever their alignment. */
export function float32FromBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return new Float32Array(copy.buffer, 0, Math.floor(bytes.length / 4));
}

/** The bytes of `values`, as a view. Every platform that runs JavaScript today is little-endian. */
export function bytesFromFloat32(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function decodePlace(name: string, raw: unknown): Result<TensorPlace, SafetensorsFault> {
  const path = `/${name}`;
  if (!isRecord(raw)) return fault(path, "an object with dtype, shape and data_offsets");
  const { dtype, shape, data_offsets: offsets } = raw;
  if (typeof dtype !== "string" || !isTensorType(dtype)) return fault(`${path}/dtype`, `one of ${Object.keys(elementBytes).join(", ")}`);
  if (!isCounts(shape) || shape.length > tensorRankMax) return fault(`${path}/shape`, `at most ${tensorRankMax} integers of at least 0`);
  if (!isCounts(offsets)) return fault(`${path}/data_offsets`, "two integers of at least 0");
  const [start, end, extra] = offsets;
  if (start === undefined || end === undefined || extra !== undefined) return fault(`${path}/data_offsets`, "two integers of at least 0");
  const bytes = shape.reduce((product, extent) => product * extent, elementBytes[dtype]);
  if (!Number.isSafeInteger(bytes) || end - start !== bytes) return fault(`${path}/data_offsets`, `${bytes} bytes, as dtype and shape say`);
  return ok({ name, type: dtype, shape, start, end });
}

function placesEnd(places: readonly TensorPlace[]): Result<number, SafetensorsFault> {
  let at = 0;
  for (const place of places) {
    if (place.start !== at) return fault(`/${place.name}/data_offsets`, `a start at ${at}: no gap and no overlap`);
    at = place.end;
  }
  return ok(at);
}

function fault(path: string, expected: string): { readonly ok: false; readonly error: SafetensorsFault } {
  return err({ code: "malformed", path, expected });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === "string");
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0);
}

function isTensorType(text: string): text is TensorType {
  return Object.hasOwn(elementBytes, text);
}
