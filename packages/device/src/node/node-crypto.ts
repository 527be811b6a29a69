import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import { assert, base64urlFromBytes, bytesFromBase64url } from "@tutti/base";
import type { DeviceCrypto, DeviceKey } from "../platform.ts";
import type { NodeDatabase } from "./node-store.ts";

/** Ed25519 by node:crypto; keys lie in the device's database, as Node has no key store of its own. */
export function nodeCrypto(database: NodeDatabase, device: string): DeviceCrypto {
  return {
    createKey: (name) => Promise.resolve().then(() => {
      const { privateKey } = generateKeyPairSync("ed25519");
      database.run("INSERT OR REPLACE INTO device_key VALUES (?, ?, ?)", device, name, privateKey.export({ format: "der", type: "pkcs8" }));
      return handle(privateKey);
    }),
    key: (name) => Promise.resolve().then(() => {
      const [row] = database.all("SELECT pkcs8 FROM device_key WHERE device = ? AND name = ?", device, name);
      return row === undefined ? undefined : handle(createPrivateKey({ key: Buffer.from(row["pkcs8"] as Uint8Array), format: "der", type: "pkcs8" }));
    }),
    eraseKey: (name) => Promise.resolve().then(() => database.run("DELETE FROM device_key WHERE device = ? AND name = ?", device, name)),
    verify: (publicKey, signature, bytes) => Promise.resolve().then(() => publicKey.length === 32 && signature.length === 64 && verify(null, bytes, publicKeyOf(publicKey), signature)),
    sha256: (bytes) => Promise.resolve().then(() => Uint8Array.from(createHash("sha256").update(bytes).digest())),
  };
}

function handle(privateKey: KeyObject): DeviceKey {
  const raw = bytesFromBase64url(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "");
  assert(raw.ok && raw.value.length === 32, "an Ed25519 public key has 32 bytes");
  return { publicKey: raw.value, sign: (bytes) => Promise.resolve().then(() => Uint8Array.from(sign(null, bytes, privateKey))) };
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: base64urlFromBytes(raw) }, format: "jwk" });
}
