import { base64urlFromBytes, bytesFromBase64url, concatBytes, type Bytes, type SecureRandom } from "@tutti/base";
import type { DeviceCrypto, DeviceKey } from "@tutti/device";
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";

/** RFC 8410: what stands before the 32-byte seed in the PKCS #8 form of an Ed25519 key. */
const pkcs8Prefix = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]);

/** A device's key store in memory; node:crypto's synchronous form, keys from the world's seed. */
export function worldCrypto(random: SecureRandom): DeviceCrypto {
  const keys = new Map<string, DeviceKey>();
  return {
    createKey: (name) => {
      const key = keyOf(createPrivateKey({ key: Buffer.from(concatBytes(pkcs8Prefix, random.bytes(32))), format: "der", type: "pkcs8" }));
      keys.set(name, key);
      return Promise.resolve(key);
    },
    key: (name) => Promise.resolve(keys.get(name)),
    eraseKey: (name) => {
      keys.delete(name);
      return Promise.resolve();
    },
    verify: (publicKey, signature, bytes) => Promise.resolve(isSignedBy(base64urlFromBytes(publicKey), signature, bytes)),
    sha256: (bytes) => Promise.resolve(digest(bytes)),
  };
}

/** Whether `signature` is by the raw Ed25519 key (base64url) over `bytes`. */
export function isSignedBy(publicKey: string, signature: Uint8Array, bytes: Uint8Array): boolean {
  return publicKey.length === 43 && signature.length === 64 && verify(null, bytes, createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" }), signature);
}

function keyOf(privateKey: KeyObject): DeviceKey {
  const publicKey = bytesFromBase64url(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "");
  if (!publicKey.ok) throw new Error("an Ed25519 key has its public half");
  return { publicKey: publicKey.value, sign: (bytes) => Promise.resolve(Uint8Array.from(sign(null, bytes, privateKey))) };
}

function digest(bytes: Uint8Array): Bytes {
  return Uint8Array.from(createHash("sha256").update(bytes).digest());
}
