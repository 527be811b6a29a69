import { assert, type Brand } from "@tutti/base";
import type { SumClause } from "@tutti/protocol";
import { l2NormOf, type ClippedDelta } from "./clip.ts";

/** A delta that its device shows to the coordinator as it is, because the signed plan says so and says why. */
export type DisclosedVector = Brand<Float32Array<ArrayBuffer>, "DisclosedVector">;

/**
 * All that may be uploaded. Nothing else has this type: an unprotected upload does not compile.
 * Masked vectors join it with secure sums.
 */
export type ProtectedReport = DisclosedVector;

/**
 * Device half: lets a clipped delta out under a plain sum. The device writes in its ledger that it did,
 * and the plan's reason with it. Server half: none; the vector is read as it came.
 * Guarantees only the bound: whoever reads the report learns what one device's examples moved. It
 * protects nobody from the coordinator; the transport protects it from everybody else.
 */
export function disclose(delta: ClippedDelta, sum: SumClause & { readonly kind: "plain" }): DisclosedVector {
  assert(sum.because.length > 0, "a plain sum says why it is plain");
  assert(l2NormOf(delta) <= sum.clipNorm, "a delta is clipped to the bound of the very sum that it enters");
  return delta as Float32Array<ArrayBuffer> as DisclosedVector;
}
