/** ⌈factor · count⌉ of the factor that was written down: 1.1 · 10 = 11.000000000000002 is 11, .55 · 100 is 55. */
export function roundedUp(factor: number, count: number): number {
  const product = factor * count;
  return Math.ceil(product - 1e-12 * product);
}
