import { concatBytes, err, ok, utf8FromText, type Bytes, type Result, type SecureRandom } from "@tutti/base";
import { parseJson, type MetricSums, type RoundId } from "@tutti/protocol";
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { SummedReport } from "./round-sum.ts";

/** A round's partial sum at one moment. */
export type Checkpoint = {
  /** Counts up from 1: of two whole checkpoints the later one holds. */
  readonly sequence: number;
  readonly weight: number;
  readonly metrics: MetricSums;
  readonly reports: ReadonlyMap<number, SummedReport>;
  /** float64 [parameterCount]. */
  readonly vector: Float64Array;
};

type Facts = Omit<Checkpoint, "reports" | "vector"> & { readonly reports: readonly (readonly [number, SummedReport])[] };

/** What seals a round's checkpoints. */
export type Seal = { readonly round: RoundId; /** 32 bytes; dies with the round's row. */ readonly key: Bytes };

const magic = utf8FromText("tutti/1 sum\n");
const nonceBytes = 12;
const tagBytes = 16;

/**
 * A checkpoint's file: magic, nonce, tag, then under AES-256-GCM the length of the facts (u32le), the facts
 * as JSON and the vector. Sealed, because two checkpoints differ by single reports when traffic is slow;
 * the tag is also what tells a whole file from a torn one. The round's id is authenticated with it.
 */
export function sealCheckpoint(checkpoint: Checkpoint, { round, key }: Seal, random: SecureRandom): readonly Uint8Array[] {
  const { vector, reports, ...rest } = checkpoint;
  const facts = utf8FromText(JSON.stringify({ ...rest, reports: [...reports] } satisfies Facts));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, facts.length, true);
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(utf8FromText(round));
  const sealed = [length, facts, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)].map((part) => cipher.update(part));
  cipher.final();
  return [magic, nonce, cipher.getAuthTag(), ...sealed];
}

/** The checkpoint of a file; refused when it is torn, changed, or of another round or key. */
export function openCheckpoint(file: Uint8Array, { round, key }: Seal): Result<Checkpoint, { readonly code: "not-whole" }> {
  const start = magic.length + nonceBytes + tagBytes;
  if (file.length < start + 4) return err({ code: "not-whole" });
  const nonce = file.subarray(magic.length, magic.length + nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(utf8FromText(round));
  decipher.setAuthTag(file.subarray(magic.length + nonceBytes, start));
  const plain = decipher.update(file.subarray(start));
  try {
    decipher.final();
  } catch {
    return err({ code: "not-whole" });
  }
  // From here on the bytes are our own: the tag says so.
  const factsEnd = 4 + new DataView(plain.buffer, plain.byteOffset, 4).getUint32(0, true);
  const facts = parseJson(plain.subarray(4, factsEnd).toString());
  if (!facts.ok) return err({ code: "not-whole" });
  const { reports, ...rest } = facts.value as Facts;
  return ok({ ...rest, reports: new Map(reports), vector: new Float64Array(concatBytes(plain.subarray(factsEnd)).buffer) });
}
