import { SeededRandom, type Bytes } from "@tutti/base";
import { bytesFromFloat32, canonicalJson, encodeSafetensors, reportFactsKey, reportTensorName, type AssignmentId } from "@tutti/protocol";

export const parameterCount = 15;

/** What a device reports: drawn from a seed, so that a replay can give the very same. */
export type Report = { readonly delta: Float32Array<ArrayBuffer>; readonly examples: number; readonly metrics: { readonly count: number; readonly lossSum: number; readonly correct: number; readonly absoluteErrorSum: number } };

/** A report with coordinates of wild magnitudes, so that a sum in another order would show in float32 arithmetic. */
export function reportOf(seed: number): Report {
  const random = SeededRandom.from(seed);
  const delta = Float32Array.from({ length: parameterCount }, () => (random.uniform() - 0.5) * 2 ** -random.below(24));
  const count = 1 + random.below(50);
  return { delta, examples: count, metrics: { count, lossSum: random.uniform() * count, correct: random.below(count + 1), absoluteErrorSum: 0 } };
}

/** Its bytes for one assignment. */
export function reportBytes({ delta, examples, metrics }: Report, assignment: AssignmentId): Bytes {
  const facts = canonicalJson({ assignment, examples, metrics, phases: "cdtTu" });
  return encodeSafetensors([{ name: reportTensorName, type: "F32", shape: [parameterCount], bytes: bytesFromFloat32(delta) }], { [reportFactsKey]: facts });
}
