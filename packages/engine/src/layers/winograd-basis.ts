/**
 * The basis in which a convolution is a product of numbers (Winograd 1980), by Cook and Toom's values of
 * polynomials at points: of a tile x of the input and a window w, Y = Aᵀ[(G·w·Gᵀ)∘(Bᵀ·x·B)]A.
 */
export type WinogradBasis = {
  /** Side of an input tile, and of an output tile: side − window + 1. */
  readonly side: number;
  readonly output: number;
  /** Bᵀ [side, side], A [side, output] and G [side, window], row-major. */
  readonly bt: readonly number[];
  readonly a: readonly number[];
  readonly g: readonly number[];
};

/**
 * Infinity is one more. Of 0, ±1 and two of ±½, ±2 these round least: 2e-6 of a window's gradient, where
 * ±2 give 3e-6. Two points more (tiles of 8) save a fifth of the CNN's time and round 6e-6.
 */
const points = [0, 1, -1, 0.5, -2];

/** For a square window of 3 (4 x 4 outputs a tile) or 5 (2 x 2). */
export function winogradBasis(window: number): WinogradBasis {
  const side = points.length + 1;
  const output = side - window + 1;
  const roots = [...points.map((point) => points.filter((other) => other !== point)), points];
  const divisors = [...points.map((point) => points.reduce((product, other) => (other === point ? product : product * (point - other)), 1)), 1];
  const rows = roots.map((zeros, i) => {
    const bt = polynomial(zeros, side);
    const g = powersAt(i, window).map((value) => value / (divisors[i] ?? 1));
    // A row of Bᵀ and that of G may share a factor; a power of two makes them alike in size and rounds nothing.
    const scale = 2 ** Math.round(Math.log2(absoluteSum(g) / absoluteSum(bt)) / 2);
    return { bt: bt.map((value) => value * scale), g: g.map((value) => value / scale), a: powersAt(i, output) };
  });
  return { side, output, bt: rows.flatMap(({ bt }) => bt), a: rows.flatMap(({ a }) => a), g: rows.flatMap(({ g }) => g) };
}

/** 1, p, p², … of the i-th point; of infinity the highest power alone. */
function powersAt(i: number, count: number): readonly number[] {
  const point = points[i];
  return Array.from({ length: count }, (_, k) => (point === undefined ? Number(k === count - 1) : point ** k));
}

/** Coefficients, lowest first, of the monic polynomial with these zeros. */
function polynomial(zeros: readonly number[], length: number): readonly number[] {
  const one = Array.from({ length }, (_, k) => Number(k === 0));
  return zeros.reduce((coefficients: readonly number[], zero) => coefficients.map((value, k) => (coefficients[k - 1] ?? 0) - zero * value), one);
}

function absoluteSum(row: readonly number[]): number {
  return row.reduce((sum, value) => sum + Math.abs(value), 0);
}
