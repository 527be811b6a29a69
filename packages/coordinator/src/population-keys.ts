import { base64urlFromBytes, concatBytes, type Bytes, type SecureRandom } from "@tutti/base";
import type { PopulationKeys, PopulationName } from "@tutti/protocol";
import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import type { PopulationRow } from "./store/store.ts";

/** RFC 8410: what stands before the 32-byte seed in the PKCS #8 form of an Ed25519 key. */
const pkcs8Prefix = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]);
/** RFC 8410: what stands before the 32-byte public key in its SubjectPublicKeyInfo form. */
const spkiPrefixBytes = 12;

/** Fresh secrets for a population: three Ed25519 keys, each for one purpose, and the key of capability tokens. */
export function drawPopulationSecrets(population: PopulationName, random: SecureRandom): PopulationRow {
  const key = (): Bytes => concatBytes(pkcs8Prefix, random.bytes(32));
  return { population, enrolmentKey: key(), planKey: key(), receiptKey: key(), tokenKey: random.bytes(32) };
}

/** A population's keys, ready to sign. */
export type Signers = { readonly enrolment: KeyObject; readonly plan: KeyObject; readonly receipt: KeyObject };

export function signersOf(row: PopulationRow): Signers {
  const load = (pkcs8: Bytes): KeyObject => createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  return { enrolment: load(row.enrolmentKey), plan: load(row.planKey), receipt: load(row.receiptKey) };
}

/** The public halves, which an app pins. */
export function publicKeysOf(signers: Signers): PopulationKeys {
  const half = (key: KeyObject): string =>
    base64urlFromBytes(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(spkiPrefixBytes));
  return { enrolment: half(signers.enrolment), plan: half(signers.plan), receipt: half(signers.receipt) };
}

/** Ed25519 over `bytes`, as base64url; the same bytes always give the same signature. */
export function signatureOf(key: KeyObject, bytes: Uint8Array): string {
  return sign(null, bytes, key).toString("base64url");
}
