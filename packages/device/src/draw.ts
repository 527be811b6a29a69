import type { SecureRandom } from "@tutti/base";

/** Uniform in [0, 1) on the grid of 2^-32, from the platform's secure source: moments and cohorts must not be guessed. */
export function drawUniform(random: SecureRandom): number {
  return drawWord(random) / 2 ** 32;
}

/** A seed for `SeededRandom`: a uniform integer in 0..2^53−1. */
export function drawSeed(random: SecureRandom): number {
  return (drawWord(random) & 0x1fffff) * 2 ** 32 + drawWord(random);
}

function drawWord(random: SecureRandom): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
