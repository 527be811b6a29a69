import type { Bytes } from "@tutti/base";
import type { AssignmentId } from "@tutti/protocol";
import { createCipheriv, createHash, type CipherGCM } from "node:crypto";

/**
 * Tells a repeat of a report from another report for the same assignment: AES-256-GMAC (NIST SP 800-38D)
 * of its bytes, under a key that never leaves the server, with a nonce per assignment. Chosen by
 * measurement: 59 µs for 400 KB, against 246 µs for SHA-256. Two tags of one nonce would give the
 * authentication key away, so a tag is stored and compared, and never sent.
 */
export class Fingerprint {
  readonly #cipher: CipherGCM;

  /** @param key 32 bytes. */
  constructor(key: Bytes, assignment: AssignmentId) {
    const nonce = createHash("sha256").update(`tutti/1 fingerprint.${assignment}`).digest().subarray(0, 12);
    this.#cipher = createCipheriv("aes-256-gcm", key, nonce);
  }

  write(chunk: Uint8Array): void {
    this.#cipher.setAAD(chunk);
  }

  /** 22 characters of base64url; nothing may be written after it. */
  end(): string {
    this.#cipher.final();
    return this.#cipher.getAuthTag().toString("base64url");
  }
}

/** The fingerprint of a whole body. */
export async function fingerprintOf(key: Bytes, assignment: AssignmentId, body: AsyncIterable<Uint8Array>): Promise<string> {
  const fingerprint = new Fingerprint(key, assignment);
  for await (const chunk of body) fingerprint.write(chunk);
  return fingerprint.end();
}
