import * as Type from "typebox";
import type { Static } from "typebox";
import { PopulationNameSchema } from "./ids.ts";
import { canonicalJson } from "./canonical-json.ts";
import { concatBytes, utf8FromText, type Bytes } from "@tutti/base";

/** 32 bytes as base64url: a raw Ed25519 public key. */
export const PublicKeySchema = Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" });
/** 64 bytes as base64url: an Ed25519 signature. */
export const SignatureSchema = Type.String({ pattern: "^[A-Za-z0-9_-]{86}$" });

/** Step 1, device to server. Limit: a control body. The server must not keep the attestation once judged. */
export const EnrolmentRequestSchema = Type.Object({
  publicKey: PublicKeySchema,
  attestation: Type.Optional(Type.String({ maxLength: 32_768 })),
});
export type EnrolmentRequest = Static<typeof EnrolmentRequestSchema>;

/** What the enrolment key signs. `expiresAtMs` is judged by the server's clock only. */
export const CertificateSchema = Type.Object(
  { population: PopulationNameSchema, publicKey: PublicKeySchema, expiresAtMs: Type.Number({ minimum: 0 }), signature: SignatureSchema },
  { additionalProperties: false },
);
export type Certificate = Static<typeof CertificateSchema>;

/** Step 1, server to device. */
export const EnrolmentAnswerSchema = Type.Object({ certificate: CertificateSchema });
export type EnrolmentAnswer = Static<typeof EnrolmentAnswerSchema>;

/** The public halves that an app pins: raw Ed25519 keys as base64url. */
export const PopulationKeysSchema = Type.Object({ enrolment: PublicKeySchema, plan: PublicKeySchema, receipt: PublicKeySchema });
export type PopulationKeys = Static<typeof PopulationKeysSchema>;

/** The bytes under a certificate's signature. */
export function certificateBytes(certificate: Omit<Certificate, "signature">): Bytes {
  const { population, publicKey, expiresAtMs } = certificate;
  return concatBytes(utf8FromText("tutti/1 certificate"), utf8FromText(canonicalJson({ population, publicKey, expiresAtMs })));
}
