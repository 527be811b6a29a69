import type { Gemm, MatrixKernels } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

/** Matrix products with one float64 sum per element: each result is rounded once. */
export function matrixKernels(x: Numbers): MatrixKernels {
  return {
    gemmNN: product(x, (lda) => [lda, 1], (ldb) => [ldb, 1]),
    gemmNT: product(x, (lda) => [lda, 1], (ldb) => [1, ldb]),
    gemmTN: product(x, (lda) => [1, lda], (ldb) => [ldb, 1]),
    packWeights(k, n, b, ldb, packed) {
      for (let j = 0; j < Math.ceil(n / 8) * 8; j++) {
        for (let p = 0; p < k; p++) x[packed + packedIndex(k, p, j)] = j < n ? (x[b + p * ldb + j] ?? 0) : 0;
      }
    },
    gemmPacked(m, n, k, alpha, a, lda, packed, beta, c, ldc) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) sum += (x[a + i * lda + p] ?? 0) * (x[packed + packedIndex(k, p, j)] ?? 0);
          const target = c + i * ldc + j;
          x[target] = alpha * sum + (beta === 0 ? 0 : (x[target] ?? 0));
        }
      }
    },
  };
}

/** Where `packWeights` puts B[p, j]. */
function packedIndex(k: number, p: number, j: number): number {
  return (Math.floor(j / 8) * k + p) * 8 + (j % 8);
}

/** Steps through a stored matrix for one row and one column of op(matrix). */
type Strides = (ld: number) => readonly [row: number, column: number];

function product(x: Numbers, stridesOfA: Strides, stridesOfB: Strides): Gemm {
  return (m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) => {
    const [aRow, aColumn] = stridesOfA(lda);
    const [bRow, bColumn] = stridesOfB(ldb);
    const sums = new Float64Array(n);
    for (let i = 0; i < m; i++) {
      sums.fill(0);
      for (let p = 0; p < k; p++) addRow(x, sums, x[a + i * aRow + p * aColumn] ?? 0, b + p * bRow, bColumn);
      const row = c + i * ldc;
      for (let j = 0; j < n; j++) x[row + j] = alpha * (sums[j] ?? 0) + (beta === 0 ? 0 : (x[row + j] ?? 0));
    }
  };
}

function addRow(x: Numbers, sums: Float64Array, factor: number, row: number, step: number): void {
  for (let j = 0; j < sums.length; j++) sums[j] = (sums[j] ?? 0) + factor * (x[row + j * step] ?? 0);
}
