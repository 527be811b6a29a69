import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import type { Brand } from "./brand.ts";
import { assert } from "./assert.ts";
import { err, ok, type Result } from "./result.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** A SHA-256 digest as 64 lower-case hexadecimal digits: the address of a blob. */
export type Sha256Hex = Brand<string, "Sha256Hex">;

const hexDigits = "0123456789abcdef";

export function hexFromBytes(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += (hexDigits[byte >>> 4] ?? "") + (hexDigits[byte & 15] ?? "");
  return hex;
}

/** The bytes that `hex` spells; refuses odd lengths and other characters. */
export function bytesFromHex(hex: string): Result<Bytes, { code: "bad-hex" }> {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/.test(hex)) return err({ code: "bad-hex" });
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return ok(bytes);
}

const base64urlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** RFC 4648 base64url without padding. */
export function base64urlFromBytes(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const digits = left >= 3 ? 4 : left + 1;
    for (let d = 0; d < digits; d++) text += base64urlDigits[(word >>> (18 - 6 * d)) & 63] ?? "";
  }
  return text;
}

/** The bytes that `text` spells; refuses padding, other characters and spare bits that are not zero. */
export function bytesFromBase64url(text: string): Result<Bytes, { code: "bad-base64url" }> {
  const spare = text.length % 4;
  if (spare === 1) return err({ code: "bad-base64url" });
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (const char of text) {
    const digit = base64urlDigits.indexOf(char);
    if (digit < 0) return err({ code: "bad-base64url" });
    word = ((word << 6) | digit) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (word >>> bits) & 255;
    }
  }
  const spareBits = word & ((1 << bits) - 1);
  return spareBits === 0 ? ok(bytes) : err({ code: "bad-base64url" });
}

/** One array that holds `parts` one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two byte strings are equal; not constant-time, for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function utf8FromText(text: string): Bytes {
  return new TextEncoder().encode(text) as Bytes;
}

/** Text of UTF-8 bytes; refuses malformed sequences. */
export function textFromUtf8(bytes: Uint8Array): Result<string, { code: "bad-utf8" }> {
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return err({ code: "bad-utf8" });
  }
}

export function sha256(bytes: Uint8Array): Bytes {
  return nobleSha256(bytes);
}

export function sha256Hex(text: string): Sha256Hex {
  assert(isSha256Hex(text), "a SHA-256 is 64 lower-case hexadecimal digits");
  return text;
}

export function isSha256Hex(text: string): text is Sha256Hex {
  return /^[0-9a-f]{64}$/.test(text);
}
