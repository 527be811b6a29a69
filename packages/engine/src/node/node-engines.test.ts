import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { builtKernels } from "./built-kernels.ts";
import { idlePorts } from "../test/ports.ts";
import { nodeEngines } from "./node-engines.ts";

test("Node 24 runs all three engines, and relaxed SIMD never where the same bits are wanted", () => {
  expect(nodeEngines(idlePorts).map(({ id }) => id)).toEqual(["wasm-relaxed", "wasm-simd", "js"]);
  expect(nodeEngines(idlePorts, "deterministic").map(({ id }) => id)).toEqual(["wasm-simd", "js"]);
});

test("where the kernels were not built, the error says what to run", () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-kernels-"));
  const url = pathToFileURL(`${folder}/`);
  expect(() => builtKernels(url)).toThrow("kernels-simd.wasm is missing): run `npm run prepare`");
  writeFileSync(join(folder, "kernels-simd.wasm"), "");
  expect(() => builtKernels(url)).toThrow("kernels-relaxed.wasm is missing): run `npm run prepare`");
  rmSync(folder, { recursive: true });
});
