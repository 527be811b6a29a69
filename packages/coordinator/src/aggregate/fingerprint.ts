import type { AssignmentId } from "@tutti/protocol";
import { createCipheriv, hash, type CipherGCM, type KeyObject } from "node:crypto";

/**
 * Tells a repeat of a report from another report for the same assignment: AES-256-GMAC (NIST SP 800-38D)
 * of its bytes, under a key that never leaves the server, with a nonce per assignment. Chosen by
 * measurement: 59 µs for 400 KB, against 246 µs for SHA-256. Two tags of one nonce would give the
 * authentication key away, so a tag is stored and compared, and never sent.
 * @param key 32 bytes; as a KeyObject, since node:crypto takes 0.2 ms to find out that raw bytes are none.
 * @returns 22 characters of base64url.
 */
export function fingerprintOf(key: KeyObject, assignment: AssignmentId, body: Uint8Array): string {
  const cipher = cipherFor(key, assignment);
  cipher.setAAD(body);
  return endOf(cipher);
}

/** The same of a body that comes in parts, and is not kept. */
export async function fingerprintOfStream(key: KeyObject, assignment: AssignmentId, body: AsyncIterable<Uint8Array>): Promise<string> {
  const cipher = cipherFor(key, assignment);
  for await (const chunk of body) cipher.setAAD(chunk);
  return endOf(cipher);
}

function cipherFor(key: KeyObject, assignment: AssignmentId): CipherGCM {
  return createCipheriv("aes-256-gcm", key, hash("sha256", `tutti/1 fingerprint.${assignment}`, "buffer").subarray(0, 12));
}

function endOf(cipher: CipherGCM): string {
  cipher.final();
  return cipher.getAuthTag().toString("base64url");
}
