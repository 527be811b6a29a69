import { assert, type Bytes } from "@tutti/base";
import type { DeviceCrypto, DeviceKey } from "../platform.ts";
import { transact, valueAt } from "./browser-database.ts";

/** A key pair as IndexedDB clones it: the secret half is a handle that no script can read. */
type KeptKey = { readonly publicKey: Bytes; readonly privateKey: CryptoKey };

const ed25519 = "Ed25519";

/** Ed25519 by WebCrypto; the pairs lie in IndexedDB, and their secret halves can be used there and never exported. */
export function browserCrypto(database: IDBDatabase): DeviceCrypto {
  return {
    createKey: async (name) => {
      const kept = await drawKey();
      await transact(database, ["key"], (transaction) => transaction.objectStore("key").put(kept, name));
      return handle(kept);
    },
    key: async (name) => {
      const kept = await valueAt(database, "key", name);
      return kept === undefined ? undefined : handle(keptKey(kept));
    },
    eraseKey: (name) => transact(database, ["key"], (transaction) => transaction.objectStore("key").delete(name)),
    verify: async (publicKey, signature, bytes) => {
      if (publicKey.length !== 32 || signature.length !== 64) return false;
      const key = await importedKey(publicKey);
      return key !== null && crypto.subtle.verify(ed25519, key, unshared(signature), unshared(bytes));
    },
    sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", unshared(bytes))),
  };
}

async function drawKey(): Promise<KeptKey> {
  const pair = await crypto.subtle.generateKey(ed25519, false, ["sign", "verify"]);
  assert("privateKey" in pair && !pair.privateKey.extractable, "an Ed25519 key is a pair, and its secret half stays inside");
  return { publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)), privateKey: pair.privateKey };
}

function keptKey(value: unknown): KeptKey {
  assert(typeof value === "object" && value !== null && "publicKey" in value && "privateKey" in value, "a kept key is a pair");
  return value as KeptKey;
}

function handle({ publicKey, privateKey }: KeptKey): DeviceKey {
  return { publicKey, sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(ed25519, privateKey, unshared(bytes))) };
}

/** null for 32 bytes that are no point of the curve. */
async function importedKey(raw: Uint8Array): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey("raw", unshared(raw), ed25519, false, ["verify"]);
  } catch (cause) {
    // A browser without Ed25519 says NotSupportedError: that is no property of the key.
    if (cause instanceof DOMException && cause.name === "DataError") return null;
    throw cause;
  }
}

/** WebCrypto takes no memory that another thread could change meanwhile, and the device has none. */
export function unshared(bytes: Uint8Array): Bytes {
  assert(bytes.buffer instanceof ArrayBuffer, "the device shares no memory");
  return bytes as Bytes;
}
