import { assert } from "@tutti/base";
import { magnitudeFault, type DeltaFault, type SumGrid } from "@tutti/learning";
import { existsSync, readFileSync } from "node:fs";

/** The exports of assembly/sum.ts. */
type SumExports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly windowStart: () => number;
  readonly windowBytes: () => number;
  readonly sumStart: () => number;
  readonly reserve: (count: number) => number;
  readonly beginInspection: () => void;
  readonly inspect: (count: number) => void;
  readonly squareSum: () => number;
  readonly largestMagnitude: () => number;
  readonly add: (first: number, count: number, weight: number, magic: number) => void;
};

/** The machine refused the memory of a sum. */
class SumMemoryError extends Error {
  override readonly name = "SumMemoryError";
}

/** Two levels up in src and in dist alike. */
const kernelFile = new URL("../../build/sum.wasm", import.meta.url);

/** Compiles the kernel; what it gives makes as many as are wanted. */
export function loadSumKernels(): () => SumKernel {
  if (!existsSync(kernelFile)) throw new Error("the aggregation kernel is not built: run `npm run prepare`");
  const module = new WebAssembly.Module(readFileSync(kernelFile));
  // The exports are those of our own source, built together with this file.
  return () => new SumKernel(new WebAssembly.Instance(module, {}).exports as unknown as SumExports);
}

/**
 * One sum in WebAssembly memory: `addToSum` and `deltaFault` of learning/exact-sum, four coordinates at a
 * time. Deltas come as bytes, wherever they lie, and pass through a window of 16 KiB.
 */
export class SumKernel {
  readonly #exports: SumExports;
  readonly #blockBytes: number;
  #window: Uint8Array = new Uint8Array();
  #count = 0;

  constructor(exports: SumExports) {
    this.#exports = exports;
    this.#blockBytes = this.#exports.windowBytes();
  }

  /** Begins a sum of `count` zeros. @throws SumMemoryError. */
  begin(count: number): void {
    if (this.#exports.reserve(count) === 0) throw new SumMemoryError(`no memory for a sum of ${count} numbers`);
    this.#count = count;
    // Memory that grew has another buffer.
    this.#window = new Uint8Array(this.#buffer, this.#exports.windowStart(), this.#blockBytes);
  }

  /** The sum itself, float64 [count]: a view, valid until `begin`. */
  get sum(): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#buffer, this.#exports.sumStart(), this.#count);
  }

  /**
   * Adds weight · delta, each product rounded to the grid; a delta that breaks its bound leaves the sum as it was.
   * Block by block, so that the numbers come through the cache once: what was added before a fault showed is taken
   * back by adding it with the opposite weight, which on the grid is exact.
   * @param delta float32 [count] as bytes.
   */
  addWithin(delta: Uint8Array, { weight, grid, clipNorm }: { readonly weight: number; readonly grid: SumGrid; readonly clipNorm: number }): DeltaFault | null {
    assert(delta.length === 4 * this.#count, "a delta has the length of its sum");
    const { beginInspection, inspect, squareSum, largestMagnitude, add } = this.#exports;
    const magic = 1.5 * 2 ** 52 * grid;
    let fault: DeltaFault | null = null;
    let addedBytes = 0;
    beginInspection();
    while (addedBytes < delta.length && fault === null) {
      const block = this.#intoWindow(delta, addedBytes);
      inspect(block.length / 4);
      fault = magnitudeFault({ squareSum: squareSum(), largest: largestMagnitude() }, clipNorm);
      if (fault !== null) break;
      add(addedBytes / 4, block.length / 4, weight, magic);
      addedBytes += block.length;
    }
    if (fault !== null) this.#takeBack(delta.subarray(0, addedBytes), weight, magic);
    return fault;
  }

  #takeBack(delta: Uint8Array, weight: number, magic: number): void {
    for (let at = 0; at < delta.length; at += this.#blockBytes) {
      const block = this.#intoWindow(delta, at);
      this.#exports.add(at / 4, block.length / 4, -weight, magic);
    }
  }

  /** Copies the block of `delta` that begins at byte `at` into the window. */
  #intoWindow(delta: Uint8Array, at: number): Uint8Array {
    const block = delta.subarray(at, at + this.#blockBytes);
    this.#window.set(block);
    return block;
  }

  get #buffer(): ArrayBuffer {
    return this.#exports.memory.buffer;
  }
}
