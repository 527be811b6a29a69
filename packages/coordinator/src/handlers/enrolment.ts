import { instantMs } from "@tutti/base";
import { certificateBytes, type EnrolmentAnswer, type EnrolmentRequest } from "@tutti/protocol";
import { certificateLifeMs } from "../limits.ts";
import type { PopulationRun } from "../population-run.ts";
import { signatureOf } from "../population-keys.ts";
import { refuse, type Refusal } from "../refusal.ts";

/** Step 1: a certificate for the device's public key. Nothing is kept: the signature is the enrolment. */
export function enrol(population: PopulationRun, request: EnrolmentRequest): EnrolmentAnswer | Refusal {
  const now = population.ports.clock.now();
  const waitMs = population.enrolments.take(now);
  if (waitMs > 0) return refuse("rate-limited", { retryAfterMs: waitMs });
  const unsigned = {
    population: population.row.population,
    publicKey: request.publicKey,
    expiresAtMs: Math.ceil(instantMs(now + certificateLifeMs)),
  };
  return { certificate: { ...unsigned, signature: signatureOf(population.signers.enrolment, certificateBytes(unsigned)) } };
}
