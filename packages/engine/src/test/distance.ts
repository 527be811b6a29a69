/** ‖measured − expected‖₂/‖expected‖₂; NaN where a number is missing, and infinite where zero was expected and is not there. */
export function relativeL2(measured: ArrayLike<number>, expected: ArrayLike<number>): number {
  const wanted = Array.from(expected);
  const off = l2(wanted.map((value, i) => (measured[i] ?? Number.NaN) - value));
  return off === 0 ? 0 : off / l2(wanted);
}

function l2(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
