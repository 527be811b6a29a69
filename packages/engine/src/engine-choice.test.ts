import { afterEach, describe, expect, test, vi } from "vitest";
import { enginesOf, type KernelBytes } from "./engine-choice.ts";
import { builtKernels } from "./node/built-kernels.ts";
import { idlePorts } from "./test/ports.ts";

const built = builtKernels();
const idsOf = (kernels: KernelBytes | null, numerics: "fast" | "deterministic" = "fast"): string[] => enginesOf(kernels, numerics, idlePorts).map(({ id }) => id);

afterEach(() => vi.unstubAllGlobals());

test("relaxed SIMD comes first, then plain SIMD, then js; deterministic numerics leave relaxed out", () => {
  expect(idsOf(built)).toEqual(["wasm-relaxed", "wasm-simd", "js"]);
  expect(idsOf(built, "deterministic")).toEqual(["wasm-simd", "js"]);
});

test("js alone is left without kernels, without WebAssembly, and where a page's policy forbids to compile", () => {
  expect(idsOf(null)).toEqual(["js"]);
  vi.stubGlobal("WebAssembly", undefined);
  expect(idsOf(built)).toEqual(["js"]);
  vi.stubGlobal("WebAssembly", { validate: () => true, Module: function Module() { throw new Error("violates the content security policy"); } });
  expect(idsOf(built)).toEqual(["js"]);
});

test("a build that does not validate is passed over: a machine without relaxed SIMD, a truncated file", () => {
  expect(idsOf({ ...built, "wasm-relaxed": built["wasm-relaxed"].slice(0, 1000) })).toEqual(["wasm-simd", "js"]);
});

describe("the self-test", () => {
  /** All places where the code has the SIMD instruction with this opcode (prefix 0xfd, two bytes of LEB128). */
  function placesOf(bytes: Uint8Array, opcode: number): number[] {
    return Array.from(bytes.keys()).filter((i) => bytes[i] === 0xfd && bytes[i + 1] === (opcode | 0x80) && bytes[i + 2] === 0x01);
  }

  /** Opcodes of the SIMD proposal: f32x4.add 0xe4, sub 0xe5, mul 0xe6, div 0xe7, min 0xe8, max 0xe9. */
  test.each([
    ["add", "sub", 0x64, 0x65], ["mul", "add", 0x66, 0x64], ["div", "mul", 0x67, 0x66], ["max", "min", 0x69, 0x68],
  ] as const)("refuses kernels in which every f32x4.%s became f32x4.%s", (_from, _to, from, to) => {
    const broken = built["wasm-simd"].slice();
    for (const place of placesOf(broken, from)) broken[place + 1] = to | 0x80;
    expect(idsOf({ ...built, "wasm-simd": broken }, "deterministic")).toEqual(["js"]);
  });

  test("refuses kernels whose exp has one wrong coefficient", () => {
    const broken = built["wasm-simd"].slice();
    // 1/3! of the polynomial (Cephes expf), as the float32 that the code holds.
    const coefficient = new Uint8Array(Float32Array.of(1.6666665459e-1).buffer);
    const places = Array.from(broken.keys()).filter((i) => coefficient.every((byte, j) => broken[i + j] === byte));
    for (const place of places) broken[place + 2] = (broken[place + 2] ?? 0) ^ 0x08;
    expect(places.length).toBeGreaterThan(0);
    expect(idsOf({ ...built, "wasm-simd": broken }, "deterministic")).toEqual(["js"]);
  });
});
