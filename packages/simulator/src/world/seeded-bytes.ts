import type { SecureRandom, SeededRandom } from "@tutti/base";

/** Bytes that look random and are the same for the same seed: the world's stand-in for a machine's secure source. */
export function seededBytes(random: SeededRandom): SecureRandom {
  return {
    bytes: (byteCount) => {
      const bytes = new Uint8Array(byteCount);
      for (let i = 0; i < byteCount; i++) bytes[i] = random.uint32() >>> 24;
      return bytes;
    },
  };
}
