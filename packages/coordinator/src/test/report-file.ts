import { bytesFromFloat32, canonicalJson, encodeSafetensors, reportFactsKey, reportTensorName, type AssignmentId, type ReportFacts } from "@tutti/protocol";
import type { Bytes } from "@tutti/base";

export const someMetrics = { count: 4, lossSum: 2.5, correct: 3, absoluteErrorSum: 0 };

export type ReportParts = Partial<Omit<ReportFacts, "assignment">> & { readonly assignment: AssignmentId; /** null for an evaluation. */ readonly delta: Float32Array | null };

/** A report's bytes as a device makes them. */
export function reportFile({ assignment, delta, examples = 4, metrics = someMetrics, phases = "cdtTu" }: ReportParts): Bytes {
  const tensors = delta === null ? [] : [{ name: reportTensorName, type: "F32" as const, shape: [delta.length], bytes: bytesFromFloat32(delta) }];
  return encodeSafetensors(tensors, { [reportFactsKey]: canonicalJson({ assignment, examples, metrics, phases }) });
}
