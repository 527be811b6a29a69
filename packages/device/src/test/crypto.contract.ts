import { assert, bytesFromHex, concatBytes, equalBytes, hexFromBytes, utf8FromText, type Bytes } from "@tutti/base";
import type { DeviceCrypto } from "../platform.ts";
import type { Clause } from "./contract.ts";

/** RFC 8032, section 7.1, TEST 2: public key, signature, the message 0x72. */
const rfcKey = bytesOf("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const rfcSignature = bytesOf("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
const rfcMessage = Uint8Array.of(0x72);
/** FIPS 180-4: SHA-256 of "abc". */
const abcDigest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** What every device's crypto does; each clause gets one without keys. Runs anywhere, a page included. */
export const cryptoContract: readonly Clause<DeviceCrypto>[] = [
  {
    name: "a signature of RFC 8032 verifies, and with any one part of it changed it does not",
    run: async (crypto) => {
      assert(await crypto.verify(rfcKey, rfcSignature, rfcMessage), "the vector verifies");
      assert(!(await crypto.verify(flipped(rfcKey), rfcSignature, rfcMessage)), "not by another key");
      assert(!(await crypto.verify(rfcKey, flipped(rfcSignature), rfcMessage)), "not with another signature");
      assert(!(await crypto.verify(rfcKey, rfcSignature, Uint8Array.of(0x73))), "not over other bytes");
    },
  },
  {
    name: "keys and signatures of other lengths are no error: they do not verify",
    run: async (crypto) => {
      for (const byteCount of [0, 31, 33]) assert(!(await crypto.verify(new Uint8Array(byteCount), rfcSignature, rfcMessage)), `a key of ${byteCount} bytes`);
      for (const byteCount of [0, 63, 65]) assert(!(await crypto.verify(rfcKey, new Uint8Array(byteCount), rfcMessage)), `a signature of ${byteCount} bytes`);
      assert(!(await crypto.verify(rfcKey, concatBytes(rfcSignature, Uint8Array.of(0)), rfcMessage)), "nor with a byte behind it");
    },
  },
  {
    name: "what a made key signs verifies by its public half alone",
    run: async (crypto) => {
      const key = await crypto.createKey("a");
      const other = await crypto.createKey("b");
      const bytes = utf8FromText("tutti");
      const signature = await key.sign(bytes);
      assert(key.publicKey.length === 32 && signature.length === 64, "raw lengths of Ed25519");
      assert(await crypto.verify(key.publicKey, signature, bytes), "by its own key");
      assert(!(await crypto.verify(other.publicKey, signature, bytes)), "and by no other");
    },
  },
  {
    name: "a key is found again under its name, replaced by a new one, and gone when it is erased",
    run: async (crypto) => {
      assert((await crypto.key("a")) === undefined, "nothing was made yet");
      const first = await crypto.createKey("a");
      const found = await crypto.key("a");
      assert(found !== undefined && equalBytes(found.publicKey, first.publicKey), "the same key");
      assert(await crypto.verify(first.publicKey, await found.sign(rfcMessage), rfcMessage), "which signs");
      const second = await crypto.createKey("a");
      assert(!equalBytes(second.publicKey, first.publicKey), "a new key is another one");
      const replaced = await crypto.key("a");
      assert(replaced !== undefined && equalBytes(replaced.publicKey, second.publicKey), "and takes the name");
      await crypto.eraseKey("a");
      await crypto.eraseKey("a");
      assert((await crypto.key("a")) === undefined, "erased, and erased again without trouble");
    },
  },
  {
    name: "SHA-256 of \"abc\" is that of FIPS 180-4, of a view as well",
    run: async (crypto) => {
      assert(hexFromBytes(await crypto.sha256(utf8FromText("abc"))) === abcDigest, "the vector");
      assert(hexFromBytes(await crypto.sha256(utf8FromText("xabcx").subarray(1, 4))) === abcDigest, "of the view, not of its buffer");
    },
  },
];

function bytesOf(hex: string): Bytes {
  const bytes = bytesFromHex(hex);
  assert(bytes.ok, "a vector is hexadecimal");
  return bytes.value;
}

function flipped(bytes: Uint8Array): Bytes {
  return Uint8Array.from(bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte));
}
