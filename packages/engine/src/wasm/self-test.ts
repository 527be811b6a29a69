import { SeededRandom } from "@tutti/base";
import { jsWorkspace } from "../js/js-workspace.ts";
import { activationKinds } from "../kernels.ts";
import type { Workspace } from "../workspace.ts";

/** Ragged on purpose: no extent is a multiple of a vector or a tile, and one product is cut into blocks of k. */
const products = [{ m: 7, n: 13, k: 21 }, { m: 29, n: 11, k: 403 }] as const;
const inputCount = 29 * 403 + 403 * 11;
const outputCount = 29 * 11;
/** Above the rounding of 403 terms in float32 (measured: 4e-7), below what one wrong coefficient of exp gives. */
const relativeErrorMax = 1e-5;

/**
 * Whether a workspace's kernels give on this machine what the js reference gives: matrix products in all
 * three forms, and exp through softmax and every activation. It takes a few milliseconds. A machine with a miscompiled or emulated SIMD
 * unit exists somewhere among a million devices, and must not report.
 */
export function passesSelfTest(workspace: Workspace): boolean {
  return relativeError(selfTestOutput(workspace), selfTestOutput(jsWorkspace())) < relativeErrorMax;
}

function selfTestOutput(workspace: Workspace): readonly Float64Array[] {
  workspace.reserve(inputCount + outputCount + 16);
  const { numbers, kernels } = workspace;
  const random = SeededRandom.from(1);
  for (let i = 0; i < inputCount; i++) numbers[i] = 4 * random.uniform() - 2;
  const out = inputCount;
  const outputs: Float64Array[] = [];
  const take = (elementCount: number): void => void outputs.push(Float64Array.from(numbers.subarray(out, out + elementCount)));
  for (const { m, n, k } of products) {
    kernels.gemmNN(m, n, k, 1, 0, k, m * k, n, 0, out, n);
    take(m * n);
    kernels.gemmNT(m, n, k, 0.5, 0, k, m * k, k, 1, out, n);
    take(m * n);
    kernels.gemmTN(m, n, k, 1, 0, m, m * k, n, 0, out, n);
    take(m * n);
  }
  for (const kind of activationKinds.keys()) {
    kernels.activate(kind, 63, 0, out);
    take(63);
  }
  numbers.fill(3, out + 63, out + 66);
  outputs.push(Float64Array.of(kernels.softmaxCrossEntropy(3, 21, 0, out + 63, -2, 0, 1, out, out + 66)));
  take(63);
  return outputs;
}

/** The greatest relative L2 distance of a pair; NaN where anything is. */
function relativeError(measured: readonly Float64Array[], expected: readonly Float64Array[]): number {
  return Math.max(...expected.map((wanted, i) => l2(wanted.map((value, j) => value - (measured[i]?.[j] ?? Number.NaN))) / l2(wanted)));
}

function l2(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
