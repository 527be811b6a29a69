import type { Brand, Bytes } from "@tutti/base";
import { clipByL2Norm, disclose, type ProtectedReport } from "@tutti/privacy";
import { bytesFromFloat32, canonicalJson, encodeSafetensors, reportFactsKey, reportTensorName, type Plan, type ReportFacts } from "@tutti/protocol";
import type { Trained } from "./train.ts";

/** The bytes of a protected report, ready to be sent and sent again. */
export type ReportFile = Brand<Bytes, "ReportFile">;

/** Turns what was trained into what the signed plan lets out: clipped, then disclosed; of an evaluation the metric sums alone. */
export function protect(trained: Trained, plan: Plan, participation: Pick<ReportFacts, "assignment" | "phases">): ReportFile {
  const facts = { ...participation, examples: trained.exampleCount, metrics: trained.metrics };
  if (trained.kind === "evaluated") return encodeReport(null, facts);
  return encodeReport(disclose(clipByL2Norm(trained.delta, plan.sum.clipNorm), plan.sum), facts);
}

/** The stored bytes of a report that `protect` made before a restart. */
export function reportFile(bytes: Bytes): ReportFile {
  return bytes as ReportFile;
}

/** A safetensors file with the tensor `delta`, or with no tensor for an evaluation, and the facts beside it. */
function encodeReport(vector: ProtectedReport | null, facts: ReportFacts): ReportFile {
  const tensors = vector === null ? [] : [{ name: reportTensorName, type: "F32" as const, shape: [vector.length], bytes: bytesFromFloat32(vector) }];
  return encodeSafetensors(tensors, { [reportFactsKey]: canonicalJson(facts) }) as ReportFile;
}
