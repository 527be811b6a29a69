import { readFileSync } from "node:fs";
import type { KernelBytes } from "../engine-choice.ts";

/** Beside src and dist: from src/node as from dist/node it is two levels up. */
const buildFolder = new URL("../../build/", import.meta.url);

/** The kernels that the package ships. @throws where they were never built: in a fresh checkout. */
export function builtKernels(folder = buildFolder): KernelBytes {
  return { "wasm-simd": kernelFile(folder, "kernels-simd.wasm"), "wasm-relaxed": kernelFile(folder, "kernels-relaxed.wasm") };
}

function kernelFile(folder: URL, name: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(new URL(name, folder)));
  } catch (cause) {
    throw new Error(`the engine's kernels are not built (${name} is missing): run \`npm run prepare\``, { cause });
  }
}
