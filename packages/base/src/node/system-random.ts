import type { SecureRandom } from "@tutti/base";
import { randomBytes } from "node:crypto";

/** The machine's CSPRNG. */
export const systemRandom: SecureRandom = { bytes: (byteCount) => new Uint8Array(randomBytes(byteCount)) };
