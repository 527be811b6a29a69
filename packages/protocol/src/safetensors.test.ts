import { concatBytes, equalBytes, utf8FromText } from "@tutti/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { safetensorsHeaderBytesMax, safetensorsTensorsMax } from "./limits.ts";
import {
  bytesFromFloat32, decodeSafetensors, decodeSafetensorsHeader, encodeSafetensors, float32FromBytes, safetensorsHeaderLength, type Tensor,
} from "./safetensors.ts";

const elementBytes = { F32: 4, U8: 1, U16: 2, U32: 4 } as const;

const anyTensor = fc
  .record({ type: fc.constantFrom("F32" as const, "U8" as const, "U16" as const, "U32" as const), shape: fc.array(fc.nat(4), { maxLength: 3 }), seed: fc.nat(255) })
  .map(({ type, shape, seed }): Omit<Tensor, "name"> => {
    const length = shape.reduce((product, extent) => product * extent, elementBytes[type]);
    return { type, shape, bytes: Uint8Array.from({ length }, (_, i) => (i * 37 + seed) % 256) };
  });
const anyFile = fc.tuple(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }).filter((name) => !name.startsWith("__")), { maxLength: 5 }), fc.array(anyTensor, { minLength: 5, maxLength: 5 }), fc.dictionary(fc.string().filter((key) => key !== "__proto__"), fc.string(), { maxKeys: 4 }))
  .map(([names, parts, metadata]) => ({ tensors: names.flatMap((name, i): Tensor[] => { const part = parts[i]; return part === undefined ? [] : [{ name, ...part }]; }), metadata }));

/** A file with this header, whatever it says, and this much data. */
function fileOf(header: unknown, dataBytes: number, text = JSON.stringify(header)): Uint8Array {
  const json = utf8FromText(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concatBytes(length, json, new Uint8Array(dataBytes));
}

const tensor = (start: number, end: number, shape: readonly unknown[] = [(end - start) / 4], dtype: unknown = "F32") => ({ dtype, shape, data_offsets: [start, end] });

function faultPath(file: Uint8Array): string {
  const decoded = decodeSafetensors(file);
  return decoded.ok ? "decoded" : decoded.error.path;
}

describe("a file", () => {
  test("gives back its tensors, their order and its facts", () => {
    fc.assert(fc.property(anyFile, ({ tensors, metadata }) => {
      const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata));
      // Tensors without elements lie at one place: their order among each other is not kept.
      const inOrder = (list: readonly Tensor[]): readonly Tensor[] => list.filter(({ bytes }) => bytes.length > 0);
      const byName = (list: readonly Tensor[]): readonly Tensor[] => list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      expect(decoded.ok && byName(decoded.value.tensors)).toEqual(byName(tensors));
      expect(decoded.ok && decoded.value.metadata).toEqual(metadata);
      const kept = decoded.ok ? inOrder(decoded.value.tensors).map(({ name }) => name) : [];
      expect(isIntegerNamed(kept) || kept.join() === inOrder(tensors).map(({ name }) => name).join()).toBe(true);
    }));
  });

  test("has its float32 data on a boundary of 8 bytes, so that it can be read in place", () => {
    fc.assert(fc.property(fc.string(), (fact) => {
      const file = encodeSafetensors([{ name: "delta", type: "F32", shape: [1], bytes: new Uint8Array(4) }], { fact });
      expect((file.length - 4) % 8).toBe(0);
    }));
  });

  // The layout of the format's own page: u64le length, JSON, data.
  test("of one float32 has these very bytes", () => {
    const file = encodeSafetensors([{ name: "a", type: "F32", shape: [1], bytes: bytesFromFloat32(Float32Array.of(1)) }], {});
    const header = '{"__metadata__":{},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(header.length % 8).toBe(0);
    expect(equalBytes(file, concatBytes(Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0), utf8FromText(header), Uint8Array.of(0, 0, 0x80, 0x3f)))).toBe(true);
  });

  test("without metadata is read, as other writers make it", () => {
    expect(decodeSafetensors(fileOf({ a: tensor(0, 8) }, 8))).toMatchObject({ ok: true, value: { metadata: {} } });
  });

  test("may hold a scalar and a tensor without elements", () => {
    expect(faultPath(fileOf({ scalar: tensor(0, 4, []), empty: tensor(4, 4, [0, 7]) }, 4))).toBe("decoded");
  });
});

/** JavaScript orders keys that are array indices before all others. */
function isIntegerNamed(names: readonly string[]): boolean {
  return names.some((name) => /^(0|[1-9]\d*)$/.test(name));
}

describe("a hostile file", () => {
  test("of any bytes is refused or decoded, never thrown at", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(faultPath(bytes)).not.toBe("");
    }));
    fc.assert(fc.property(fc.json(), fc.nat(16), (text, dataBytes) => {
      expect(faultPath(fileOf(null, dataBytes, text))).not.toBe("");
    }));
  });

  test("cut short anywhere, or with a byte more, is refused", () => {
    const file = encodeSafetensors([{ name: "a", type: "U8", shape: [3], bytes: Uint8Array.of(1, 2, 3) }], {});
    for (let length = 0; length < file.length; length++) expect(faultPath(file.subarray(0, length)), `${length} bytes`).not.toBe("decoded");
    expect(faultPath(concatBytes(file, Uint8Array.of(0)))).toBe("/");
  });

  test("that announces a huge header is refused by its first eight bytes", () => {
    const prefix = (length: bigint): Uint8Array => new Uint8Array(new BigUint64Array([length]).buffer);
    for (const length of [0n, 1n, BigInt(safetensorsHeaderBytesMax) + 1n, 2n ** 63n, 2n ** 64n - 1n]) expect(safetensorsHeaderLength(prefix(length)).ok).toBe(false);
    expect(safetensorsHeaderLength(prefix(BigInt(safetensorsHeaderBytesMax)))).toEqual({ ok: true, value: safetensorsHeaderBytesMax });
    expect(safetensorsHeaderLength(new Uint8Array(7)).ok).toBe(false);
  });

  test.each<[string, unknown, number, string]>([
    ["a list for a header", [], 0, "/"],
    ["a gap", { a: tensor(0, 4), b: tensor(8, 12) }, 12, "/b/data_offsets"],
    ["an overlap", { a: tensor(0, 8), b: tensor(4, 12) }, 12, "/b/data_offsets"],
    ["two tensors at one place", { a: tensor(0, 4), b: tensor(0, 4) }, 4, "/b/data_offsets"],
    ["data that begins late", { a: tensor(4, 8) }, 8, "/a/data_offsets"],
    ["an end before its start", { a: tensor(4, 0, [1]) }, 4, "/a/data_offsets"],
    ["a negative start", { a: tensor(-4, 0, [1]) }, 4, "/a/data_offsets"],
    ["half an offset", { a: tensor(0.5, 4.5, [1]) }, 4, "/a/data_offsets"],
    ["three offsets", { a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, 4, "/a/data_offsets"],
    ["no offsets", { a: { dtype: "F32", shape: [1] } }, 4, "/a/data_offsets"],
    ["a shape that is longer than its bytes", { a: tensor(0, 4, [2]) }, 4, "/a/data_offsets"],
    ["a shape whose product leaves the integers", { a: tensor(0, 4, [2 ** 40, 2 ** 40]) }, 4, "/a/data_offsets"],
    ["a shape whose huge factors meet a zero", { a: tensor(0, 4, [2 ** 50, 2 ** 50, 0]) }, 4, "/a/data_offsets"],
    ["a negative extent", { a: tensor(0, 4, [-1, -1]) }, 4, "/a/shape"],
    ["nine dimensions", { a: tensor(0, 4, Array.from({ length: 9 }, () => 1)) }, 4, "/a/shape"],
    ["an unknown type", { a: tensor(0, 4, [1], "F64") }, 4, "/a/dtype"],
    ["a type that every object inherits", { a: tensor(0, 4, [1], "toString") }, 4, "/a/dtype"],
    ["a tensor that is null", { a: null }, 0, "/a"],
    ["a number for a fact", { __metadata__: { a: 1 } }, 0, "/__metadata__"],
    ["a list of facts", { __metadata__: [] }, 0, "/__metadata__"],
    ["less data than it says", { a: tensor(0, 8) }, 4, "/"],
    ["more data than it says", { a: tensor(0, 4) }, 8, "/"],
  ])("with %s is refused, and the fault says where", (_, header, dataBytes, path) => {
    expect(faultPath(fileOf(header, dataBytes))).toBe(path);
  });

  test("with more tensors than the limit is refused", () => {
    const header = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, tensor(0, 0, [0])]));
    expect(faultPath(fileOf(header(safetensorsTensorsMax), 0))).toBe("decoded");
    expect(faultPath(fileOf(header(safetensorsTensorsMax + 1), 0))).toBe("/");
  });

  test("with a header that is not UTF-8 or not JSON is refused", () => {
    expect(decodeSafetensorsHeader(Uint8Array.of(0x7b, 0xff), 10).ok).toBe(false);
    expect(faultPath(fileOf(null, 0, "{"))).toBe("/");
  });

  test("cannot reach the prototype of anything by its names", () => {
    const file = fileOf(null, 4, '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
    expect(decodeSafetensors(file)).toMatchObject({ ok: true, value: { tensors: [{ name: "__proto__", shape: [1] }] } });
    expect(({} as Record<string, unknown>)["dtype"]).toBeUndefined();
  });
});

test("float32 values come back from bytes at any alignment, as a copy", () => {
  fc.assert(fc.property(fc.float32Array({ maxLength: 20 }), fc.nat(3), (values, shift) => {
    const bytes = concatBytes(new Uint8Array(shift), bytesFromFloat32(values)).subarray(shift);
    const back = float32FromBytes(bytes);
    expect(equalBytes(bytesFromFloat32(back), bytesFromFloat32(values))).toBe(true);
    bytes.fill(0xff);
    expect(values.length === 0 || !equalBytes(bytesFromFloat32(back), bytes) || values.every(Number.isNaN)).toBe(true);
  }));
});
