import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AssertionError } from "./assert.ts";
import {
  base64urlFromBytes, bytesFromBase64url, bytesFromHex, concatBytes, equalBytes, hexFromBytes, isSha256Hex, sha256, sha256Hex,
  textFromUtf8, utf8FromText,
} from "./bytes.ts";

const anyBytes = fc.uint8Array({ maxLength: 70 });

describe("hex", () => {
  test("is what Node writes, and comes back", () => {
    fc.assert(fc.property(anyBytes, (bytes) => {
      expect(hexFromBytes(bytes)).toBe(Buffer.from(bytes).toString("hex"));
      expect(bytesFromHex(hexFromBytes(bytes))).toEqual({ ok: true, value: bytes });
    }));
  });

  test.each(["0", "0G", "AB", "0x", " 00", "é0"])("does not read %j", (text) => {
    expect(bytesFromHex(text)).toEqual({ ok: false, error: { code: "bad-hex" } });
  });
});

describe("base64url", () => {
  test("is what Node writes, and comes back", () => {
    fc.assert(fc.property(anyBytes, (bytes) => {
      expect(base64urlFromBytes(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
      expect(bytesFromBase64url(base64urlFromBytes(bytes))).toEqual({ ok: true, value: bytes });
    }));
  });

  // RFC 4648, section 10
  test.each([["", ""], ["f", "Zg"], ["fo", "Zm8"], ["foo", "Zm9v"], ["foob", "Zm9vYg"], ["fooba", "Zm9vYmE"], ["foobar", "Zm9vYmFy"]])("of %j is %j", (text, encoded) => {
    expect(base64urlFromBytes(utf8FromText(text))).toBe(encoded);
  });

  test("has one spelling for each byte string: what is read is written again", () => {
    const digits = fc.string({ unit: fc.constantFrom("A", "B", "Z", "a", "z", "0", "5", "9", "-", "_"), maxLength: 9 });
    fc.assert(fc.property(digits, (text) => {
      const read = bytesFromBase64url(text);
      expect(read.ok ? base64urlFromBytes(read.value) : text).toBe(text);
    }), { numRuns: 1000 });
    // "Zh" and "Zg" differ in spare bits alone.
    expect(bytesFromBase64url("Zh").ok).toBe(false);
  });

  test.each(["A", "Zg==", "Zm9v\n", "Zm+v", "Zm/v", "Z g", "😀AA"])("does not read %j", (text) => {
    expect(bytesFromBase64url(text)).toEqual({ ok: false, error: { code: "bad-base64url" } });
  });
});

describe("UTF-8", () => {
  test("gives back every well-formed text, a byte order mark included", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(textFromUtf8(utf8FromText(text))).toEqual({ ok: true, value: text });
    }));
    expect(textFromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toEqual({ ok: true, value: "\ufeffA" });
  });

  test.each([[[0xff]], [[0xc3]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]]])("does not read %j", (bytes) => {
    expect(textFromUtf8(Uint8Array.from(bytes))).toEqual({ ok: false, error: { code: "bad-utf8" } });
  });
});

test("bytes are joined in their order, and equal only where all agree", () => {
  fc.assert(fc.property(fc.array(anyBytes, { maxLength: 4 }), (parts) => {
    const whole = concatBytes(...parts);
    expect(equalBytes(whole, new Uint8Array(Buffer.concat(parts)))).toBe(true);
    expect(equalBytes(whole, concatBytes(whole, Uint8Array.of(0)))).toBe(false);
    const changed = whole.map((byte, i) => (i === whole.length - 1 ? byte ^ 1 : byte));
    expect(equalBytes(whole, changed)).toBe(whole.length === 0);
  }));
});

test("SHA-256 is FIPS 180-4's of abc", () => {
  expect(hexFromBytes(sha256(utf8FromText("abc")))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("only 64 lower-case digits are a hash", () => {
  const hash = "a".repeat(64);
  expect(sha256Hex(hash)).toBe(hash);
  for (const wrong of ["", "a".repeat(63), "a".repeat(65), "A".repeat(64), `${"a".repeat(64)}\n`]) {
    expect(isSha256Hex(wrong)).toBe(false);
    expect(() => sha256Hex(wrong)).toThrow(AssertionError);
  }
});
