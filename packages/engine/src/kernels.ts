import type { ActivationKind } from "./model.ts";

/**
 * The arithmetic under every layer, on ONE flat memory of numbers. Arguments that name a tensor are
 * offsets in elements; matrices are row-major with the row stride given as `ld…`. Written twice: in
 * plain JavaScript as the readable reference, and in AssemblyScript with SIMD.
 */
export type Kernels = MatrixKernels & ElementKernels & WindowKernels & LossKernels & UpdateKernels;

/** C ← α·op(A)·op(B) + β·C, β 0 or 1; op(A) is [m, k], op(B) [k, n]. With β = 1 each element of C is rounded into once per 384 of k at most. */
export type Gemm = (
  m: number, n: number, k: number, alpha: number, a: number, lda: number, b: number, ldb: number, beta: number, c: number, ldc: number,
) => void;

export type MatrixKernels = {
  /** A [m, k], B [k, n]. */
  readonly gemmNN: Gemm;
  /** A [m, k], B stored [n, k]. */
  readonly gemmNT: Gemm;
  /** A stored [k, m], B [k, n]. */
  readonly gemmTN: Gemm;
};

/** The order is the number by which both engines' kernels know an activation. */
export const activationKinds: readonly ActivationKind[] = ["relu", "gelu", "tanh", "sigmoid", "silu"];

export type ElementKernels = {
  fill(count: number, value: number, y: number): void;
  copy(count: number, x: number, y: number): void;
  /** y ← y + α·x */
  axpy(count: number, alpha: number, x: number, y: number): void;
  /** y ← x·z, elementwise */
  multiply(count: number, x: number, z: number, y: number): void;
  scale(count: number, alpha: number, x: number): void;
  sumOfSquares(count: number, x: number): number;
  /** Every row of y [rows, n] ← bias [n]. */
  fillRows(rows: number, n: number, bias: number, y: number): void;
  /** out [n] ← out + α·(column sums of x [rows, n]). */
  addColumnSums(rows: number, n: number, alpha: number, x: number, out: number): void;
  /** y [rows, n] at row stride ldy ← x [rows, n] at row stride ldx. */
  copyRows(rows: number, n: number, x: number, ldx: number, y: number, ldy: number): void;
  /** y ← f(x); x and y may be one. `kind` indexes `activationKinds`. */
  activate(kind: number, count: number, x: number, y: number): void;
  /** dx ← dy·f′; from y alone for relu, tanh and sigmoid, whose x may be overwritten. dx and dy may be one. */
  activateBackward(kind: number, count: number, x: number, y: number, dy: number, dx: number): void;
};

/** One example [height, width, channels] under a window; `top` and `left` count the zeros before it. */
export type Window = readonly [
  height: number, width: number, channels: number, windowHeight: number, windowWidth: number,
  strideHeight: number, strideWidth: number, top: number, left: number, outputHeight: number, outputWidth: number,
];

export type WindowKernels = {
  /** columns [outputHeight·outputWidth, windowHeight·windowWidth·channels] of one example. */
  unfold(x: number, columns: number, ...window: Window): void;
  /** dx ← dx + the columns put back where `unfold` took them. */
  foldAdd(columns: number, dx: number, ...window: Window): void;
  maxPool(x: number, y: number, ...window: Window): void;
  /** dx ← dx + dy at the first greatest of each window. */
  maxPoolBackward(x: number, y: number, dy: number, dx: number, ...window: Window): void;
  averagePool(x: number, y: number, ...window: Window): void;
  averagePoolBackward(dy: number, dx: number, ...window: Window): void;
};

/**
 * Each gives the sum of the losses as a float64, and writes to `stats` [3] the counts of correct and
 * of top-k predictions and the sum of absolute errors. dx ← the gradient times `scale`; dx may be x.
 */
export type LossKernels = {
  /** x [rows, n] logits, targets [rows] class ids; a row whose id is `ignore` counts nothing. */
  softmaxCrossEntropy(rows: number, n: number, x: number, targets: number, ignore: number, topK: number, scale: number, dx: number, stats: number): number;
  sigmoidCrossEntropy(count: number, x: number, targets: number, scale: number, dx: number, stats: number): number;
  /** (x − t)² */
  squaredError(count: number, x: number, targets: number, scale: number, dx: number, stats: number): number;
  /** e²/2 below δ, δ·(|e| − δ/2) above, e = x − t. */
  huber(count: number, delta: number, x: number, targets: number, scale: number, dx: number, stats: number): number;
};

export type UpdateKernels = {
  /** v ← μ·v + g; w ← w − lr·v */
  momentumStep(count: number, rate: number, momentum: number, w: number, g: number, v: number): void;
};
