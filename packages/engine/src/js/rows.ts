import type { RowKernels } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

/** Kernels that go through a matrix row by row. */
export function rowKernels(m: Numbers): RowKernels {
  return {
    gatherRows(rows, n, table, ids, y) {
      for (let r = 0; r < rows; r++) {
        const source = table + (m[ids + r] ?? 0) * n;
        m.copyWithin(y + r * n, source, source + n);
      }
    },
    scatterAddRows(rows, n, alpha, dy, ids, table) {
      for (let r = 0; r < rows; r++) {
        const target = table + (m[ids + r] ?? 0) * n;
        for (let j = 0; j < n; j++) m[target + j] = (m[target + j] ?? 0) + alpha * (m[dy + r * n + j] ?? 0);
      }
    },
    multiplyRows(rows, n, x, z, y) {
      for (let i = 0; i < rows * n; i++) m[y + i] = (m[x + i] ?? 0) * (m[z + (i % n)] ?? 0);
    },
    scaleShiftRows(rows, n, x, scale, shift, y) {
      for (let i = 0; i < rows * n; i++) m[y + i] = (m[x + i] ?? 0) * (m[scale + (i % n)] ?? 0) + (m[shift + (i % n)] ?? 0);
    },
    addColumnProducts(rows, n, alpha, x, z, out) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let i = j; i < rows * n; i += n) sum += (m[x + i] ?? 0) * (m[z + i] ?? 0);
        m[out + j] = (m[out + j] ?? 0) + alpha * sum;
      }
    },
    softmaxRows(rows, n, isCausal, x) {
      for (let r = 0; r < rows; r++) softmaxRow(m, x + r * n, n, isCausal === 0 ? n : Math.min(n, r + 1));
    },
    softmaxRowsBackward(rows, n, y, dy) {
      for (let first = 0; first < rows * n; first += n) {
        let sum = 0;
        for (let i = first; i < first + n; i++) sum += (m[y + i] ?? 0) * (m[dy + i] ?? 0);
        for (let i = first; i < first + n; i++) m[dy + i] = (m[y + i] ?? 0) * ((m[dy + i] ?? 0) - sum);
      }
    },
  };
}

function softmaxRow(m: Numbers, x: number, n: number, seenCount: number): void {
  let top = Number.NEGATIVE_INFINITY;
  for (let j = x; j < x + seenCount; j++) top = Math.max(top, m[j] ?? 0);
  let sum = 0;
  for (let j = x; j < x + seenCount; j++) {
    const power = Math.exp((m[j] ?? 0) - top);
    m[j] = power;
    sum += power;
  }
  for (let j = x; j < x + seenCount; j++) m[j] = (m[j] ?? 0) / sum;
  m.fill(0, x + seenCount, x + n);
}
