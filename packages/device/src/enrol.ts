import { base64urlFromBytes, err, ok, type Result } from "@tutti/base";
import { CertificateSchema, certificateBytes, decode, decodeJson, EnrolmentAnswerSchema, routes, type Certificate } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { drawUniform } from "./draw.ts";
import { failure, type Failure } from "./ending.ts";
import { isSignedBy } from "./receipt.ts";
import { callServer } from "./server-call.ts";

/** Record: the certificate and the cohort draw that the device keeps to itself. */
const enrolmentKey = "enrolment";

export type Enrolment = { readonly certificate: Certificate; readonly cohortDraw: number };

/** Step 1, once: the stored enrolment, or a new key, its certificate and a cohort drawn for good. */
export async function enrol(context: DeviceContext, signal: AbortSignal): Promise<Result<Enrolment, Failure>> {
  const { crypto, store, random } = context.platform;
  const key = (await crypto.key(context.population)) ?? (await crypto.createKey(context.population));
  const publicKey = base64urlFromBytes(key.publicKey);
  const stored = await storedEnrolment(context, publicKey);
  if (stored !== null) return ok(stored);
  const call = { method: "POST", url: routes.devices(context.population), body: { publicKey }, token: null, signal } as const;
  const answer = await callServer(context, call, (text) => decodeJson(EnrolmentAnswerSchema, text));
  if (!answer.ok) return answer;
  const { certificate } = answer.value;
  if (!(await isCertificateOf(context, certificate, publicKey))) return err(failure("certificate-forged", "permanent", "the certificate does not verify"));
  const enrolment = { certificate, cohortDraw: drawUniform(random) };
  await store.write([{ kind: "put-record", key: enrolmentKey, value: enrolment }]);
  return ok(enrolment);
}

/** The enrolment that the store holds, if it is one of the device's present key: a lost key is a new device. */
async function storedEnrolment(context: DeviceContext, publicKey: string): Promise<Enrolment | null> {
  const value = await context.platform.store.record(enrolmentKey);
  if (typeof value !== "object" || value === null || !("certificate" in value) || !("cohortDraw" in value)) return null;
  const certificate = decode(CertificateSchema, value.certificate);
  const isOfKey = certificate.ok && certificate.value.publicKey === publicKey;
  return isOfKey && typeof value.cohortDraw === "number" ? { certificate: certificate.value, cohortDraw: value.cohortDraw } : null;
}

async function isCertificateOf(context: DeviceContext, certificate: Certificate, publicKey: string): Promise<boolean> {
  if (certificate.population !== context.population || certificate.publicKey !== publicKey) return false;
  const { signature, ...unsigned } = certificate;
  return isSignedBy(context, context.keys.enrolment, { signature, bytes: certificateBytes(unsigned) });
}
