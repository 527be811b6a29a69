import type { ActivationKind } from "./model.ts";

/**
 * The arithmetic under every layer, on ONE flat memory of numbers. Arguments that name a tensor are
 * offsets in elements; matrices are row-major with the row stride given as `ld…`. Written twice: in
 * plain JavaScript as the readable reference, and in AssemblyScript with SIMD.
 */
export type Kernels = MatrixKernels & ElementKernels & RowKernels & WindowKernels & TileKernels & NormKernels & RecurrentKernels & LossKernels & UpdateKernels;

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
  /** packed [⌈n/8⌉·8·k] ← B [k, n] as panels of eight columns, [n/8][k][8], zeros behind the last column. */
  packWeights(k: number, n: number, b: number, ldb: number, packed: number): void;
  /** gemmNN with B from `packWeights`: for a matrix that is used more than once. */
  gemmPacked(m: number, n: number, k: number, alpha: number, a: number, lda: number, packed: number, beta: number, c: number, ldc: number): void;
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

export type RowKernels = {
  /** y [rows, n] ← the rows of table [·, n] that ids [rows] name. */
  gatherRows(rows: number, n: number, table: number, ids: number, y: number): void;
  /** The rows of table that ids name ← themselves + α·dy's; an id that comes twice is added to twice. */
  scatterAddRows(rows: number, n: number, alpha: number, dy: number, ids: number, table: number): void;
  /** y [rows, n] ← x·z, z [n] for every row; y may be x. */
  multiplyRows(rows: number, n: number, x: number, z: number, y: number): void;
  /** y [rows, n] ← x·scale + shift, both [n] for every row. */
  scaleShiftRows(rows: number, n: number, x: number, scale: number, shift: number, y: number): void;
  /** out [n] ← out + α·(column sums of x·z, both [rows, n]). */
  addColumnProducts(rows: number, n: number, alpha: number, x: number, z: number, out: number): void;
  /** Every row of x [rows, n] ← its softmax; causal: over the first r + 1 of row r alone, the others 0. */
  softmaxRows(rows: number, n: number, isCausal: number, x: number): void;
  /** dy [rows, n] ← y·(dy − Σ y·dy of the row): from the gradient at a softmax's output to that at its input. */
  softmaxRowsBackward(rows: number, n: number, y: number, dy: number): void;
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
  /** y ← y + x under each window times w [windowHeight, windowWidth, channels], channel by channel. */
  depthwise(x: number, w: number, y: number, ...window: Window): void;
  /** dx ← dx + dy·w where `depthwise` read x. */
  depthwiseInput(dy: number, w: number, dx: number, ...window: Window): void;
  /** dw ← dw + x·dy, summed over the positions. */
  depthwiseKernel(x: number, dy: number, dw: number, ...window: Window): void;
};

/**
 * Square patches [q, q] of one example [height, width, channels], `step` apart, the first beginning `before`
 * numbers left of and above it; what lies outside is 0. Each becomes p·p numbers per channel.
 */
export type Tiling = readonly [
  p: number, q: number, height: number, width: number, channels: number, step: number, before: number,
  tilesHigh: number, tilesWide: number, tileStride: number,
];

/** Change of basis of patches; p and q from 2 to 6. */
export type TileKernels = {
  /** v [p·p, tileStride, channels] ← L·patch·Lᵀ, one tile after the other from the first on; L [p, q] at `matrix`. */
  gatherTiles(x: number, v: number, matrix: number, ...tiling: Tiling): void;
  /** x ← x + L·v·Lᵀ where `gatherTiles` read x, L [q, p] at `matrix`: its adjoint, where L is the other's transpose. */
  scatterTiles(v: number, x: number, matrix: number, ...tiling: Tiling): void;
};

/**
 * Groups of channels of each example [positions, channels] are brought to mean 0 and variance 1;
 * layer norm is one position and one group.
 */
export type NormKernels = {
  /** y ← (x − mean)/√(variance + ε); inverse [examples, groups] ← 1/√(variance + ε). */
  normalize(examples: number, positions: number, channels: number, groups: number, epsilon: number, x: number, y: number, inverse: number): void;
  /** dx ← inverse·(dy − mean(dy) − y·mean(y·dy)), means over each group; dx may be dy. */
  normalizeBackward(examples: number, positions: number, channels: number, groups: number, y: number, inverse: number, dy: number, dx: number): void;
};

/** One step in time of `rows` sequences; every matrix is contiguous. */
export type RecurrentKernels = {
  /** z [rows, 4·units], gates i, f, g, o before their activation, ← after it; c ← f·cBefore + i·g; h ← o·tanh(c). */
  lstmCell(rows: number, units: number, z: number, cBefore: number, c: number, h: number): void;
  /** z ← the gradient at the gates before activation, from the activated gates in z; dc ← dc·f after dh·o·(1 − tanh²) was added to it. */
  lstmCellBackward(rows: number, units: number, z: number, cBefore: number, c: number, dh: number, dc: number): void;
  /**
   * a, b [rows, 3·units], gates r, z, n of the input and of the state: r ← σ(r + r′), z ← σ(z + z′),
   * n ← tanh(n + r·n′), left in a; h ← (1 − z)·n + z·hBefore.
   */
  gruCell(rows: number, units: number, a: number, b: number, hBefore: number, h: number): void;
  /** a, b ← the gradients at what they held before; dhBefore ← dh·z, the part that does not pass through b. */
  gruCellBackward(rows: number, units: number, a: number, b: number, hBefore: number, dh: number, dhBefore: number): void;
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
  /** m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; w ← w − lr·m/(√v + ε) */
  adamStep(count: number, rate: number, beta1: number, beta2: number, epsilon: number, w: number, g: number, m: number, v: number): void;
  /** s ← s + g²; w ← w − lr·g/(√s + ε) */
  adagradStep(count: number, rate: number, epsilon: number, w: number, g: number, s: number): void;
};
