import { instantMs, type InstantMs } from "@tutti/base";
import type { AssignmentId } from "@tutti/protocol";
import { createHmac, timingSafeEqual, type KeyObject } from "node:crypto";

const label = "tutti/1 capability";

/**
 * The right to report for one assignment until `expiresAt` of the server's clock:
 * HMAC-SHA256 over (round, slot, expiry). Stateless, and no device is in it.
 */
export function capabilityToken(key: KeyObject, assignment: AssignmentId, expiresAt: InstantMs): string {
  const expiry = Math.ceil(expiresAt).toString(36);
  return `${expiry}.${macOf(key, assignment, expiry)}`;
}

export type CapabilityFault = "token-invalid" | "token-expired";

/** Undefined when the token stands; a forged one and one of another assignment look the same. */
export function capabilityFault(key: KeyObject, assignment: AssignmentId, token: string, now: InstantMs): CapabilityFault | undefined {
  const [expiry = "", mac = "", rest] = token.split(".");
  if (rest !== undefined || !/^[0-9a-z]{1,11}$/.test(expiry)) return "token-invalid";
  const expected = Buffer.from(macOf(key, assignment, expiry));
  const given = Buffer.from(mac);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "token-invalid";
  return now <= instantMs(Number.parseInt(expiry, 36)) ? undefined : "token-expired";
}

function macOf(key: KeyObject, assignment: AssignmentId, expiry: string): string {
  return createHmac("sha256", key).update(`${label}.${assignment}.${expiry}`).digest("base64url");
}
