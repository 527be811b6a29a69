import type { SecureRandom } from "@tutti/base";
import { randomBytesMax } from "./limits.ts";

/** The browser's CSPRNG. */
export const browserRandom: SecureRandom = {
  bytes: (byteCount) => {
    const bytes = new Uint8Array(byteCount);
    for (let at = 0; at < byteCount; at += randomBytesMax) crypto.getRandomValues(bytes.subarray(at, at + randomBytesMax));
    return bytes;
  },
};
