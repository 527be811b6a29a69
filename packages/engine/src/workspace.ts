import type { Kernels } from "./kernels.ts";

/** Float32Array in the product; Float64Array where a test takes finite differences. */
export type Numbers = Float32Array | Float64Array;

/** One flat memory and the kernels that work on it. `numbers` and `kernels` are read anew after `reserve`. */
export interface Workspace {
  readonly numbers: Numbers;
  readonly kernels: Kernels;
  /** Makes room for at least `elementCount` numbers; what is there stays. */
  reserve(elementCount: number): void;
  release(): void;
}
