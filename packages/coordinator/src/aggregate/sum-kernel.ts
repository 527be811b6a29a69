import { assert } from "@tutti/base";
import type { DeltaMagnitude, SumGrid } from "@tutti/learning";
import { existsSync, readFileSync } from "node:fs";

/** The exports of assembly/sum.ts. */
type SumExports = {
  readonly memory: WebAssembly.Memory;
  windowStart(): number;
  windowBytes(): number;
  sumStart(): number;
  reserve(count: number): number;
  beginInspection(): void;
  inspect(count: number): void;
  squareSum(): number;
  largestMagnitude(): number;
  add(first: number, count: number, weight: number, magic: number): void;
};

/** The machine refused the memory of a sum. */
class SumMemoryError extends Error {
  override readonly name = "SumMemoryError";
}

/** Two levels up in src and in dist alike. */
const kernelFile = new URL("../../build/sum.wasm", import.meta.url);

/** The compiled kernel, once per process. */
export function loadSumModule(): WebAssembly.Module {
  if (!existsSync(kernelFile)) throw new Error("the aggregation kernel is not built: run `npm run prepare`");
  return new WebAssembly.Module(readFileSync(kernelFile));
}

/**
 * One sum in WebAssembly memory: `addToSum` and `deltaFault` of learning/exact-sum, four coordinates at a
 * time. Deltas come as bytes, wherever they lie, and pass through a window of 64 KiB.
 */
export class SumKernel {
  readonly #exports: SumExports;
  #count = 0;

  constructor(module: WebAssembly.Module) {
    // The exports are those of our own source, built together with this file.
    this.#exports = new WebAssembly.Instance(module, {}).exports as unknown as SumExports;
  }

  /** Begins a sum of `count` zeros. @throws SumMemoryError. */
  begin(count: number): void {
    if (this.#exports.reserve(count) === 0) throw new SumMemoryError(`no memory for a sum of ${count} numbers`);
    this.#count = count;
  }

  /** The sum itself, float64 [count]: a view, valid until `begin`. */
  get sum(): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#buffer, this.#exports.sumStart(), this.#count);
  }

  /** @param delta float32 [count] as bytes. */
  magnitudeOf(delta: Uint8Array): DeltaMagnitude {
    this.#exports.beginInspection();
    this.#throughWindow(delta, (_first, count) => this.#exports.inspect(count));
    return { squareSum: this.#exports.squareSum(), largest: this.#exports.largestMagnitude() };
  }

  /** Adds weight · delta, each product rounded to the grid. @param delta float32 [count] as bytes. */
  add(delta: Uint8Array, { weight, grid }: { readonly weight: number; readonly grid: SumGrid }): void {
    this.#throughWindow(delta, (first, count) => this.#exports.add(first, count, weight, 1.5 * 2 ** 52 * grid));
  }

  #throughWindow(delta: Uint8Array, visit: (first: number, count: number) => void): void {
    assert(delta.length === 4 * this.#count, "a delta has the length of its sum");
    const blockBytes = this.#exports.windowBytes();
    const window = new Uint8Array(this.#buffer, this.#exports.windowStart(), blockBytes);
    for (let at = 0; at < delta.length; at += blockBytes) {
      const block = delta.subarray(at, at + blockBytes);
      window.set(block);
      visit(at / 4, block.length / 4);
    }
  }

  get #buffer(): ArrayBuffer {
    return this.#exports.memory.buffer;
  }
}
