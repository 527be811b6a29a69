import { concatBytes, utf8FromText, type Bytes, type Sha256Hex } from "@tutti/base";
import * as Type from "typebox";
import type { Static } from "typebox";
import { PhasesSchema } from "./assignment.ts";
import { canonicalJson } from "./canonical-json.ts";
import { SignatureSchema } from "./enrolment.ts";
import { AssignmentIdSchema } from "./ids.ts";
import { examplesPerReportMax, vectorBytesMax } from "./limits.ts";
import { RetryWindowSchema } from "./retry-window.ts";

/** Step 7, device to server: ask before paying for the bytes. */
export const ReportBeginRequestSchema = Type.Object({
  reportBytes: Type.Integer({ minimum: 1, maximum: vectorBytesMax }),
  phases: PhasesSchema,
});
export type ReportBeginRequest = Static<typeof ReportBeginRequestSchema>;

/** Step 7, server to device. */
export const ReportBeginAnswerSchema = Type.Union([
  Type.Object({ kind: Type.Literal("go") }),
  Type.Object({ kind: Type.Literal("goal-reached"), retry: RetryWindowSchema }),
]);
export type ReportBeginAnswer = Static<typeof ReportBeginAnswerSchema>;

/** The name of the one tensor of a plain report: F32 [parameterCount], trained − downloaded, clipped. */
export const reportTensorName = "delta";

/** Metric sums of one device over the examples it trained or evaluated on. Sums and counts only. */
export const MetricSumsSchema = Type.Object(
  {
    /** Examples (or targets, for sequences) behind the sums. */
    count: Type.Integer({ minimum: 0, maximum: 1e9 }),
    lossSum: Type.Number({ minimum: -1e12, maximum: 1e12 }),
    /** Right answers of a classifier; 0 for a regression. */
    correct: Type.Integer({ minimum: 0, maximum: 1e9 }),
    /** Sum of |prediction − target| of a regression; 0 for a classifier. */
    absoluteErrorSum: Type.Number({ minimum: 0, maximum: 1e12 }),
  },
  { additionalProperties: false },
);
export type MetricSums = Static<typeof MetricSumsSchema>;

/**
 * Step 8: the facts beside a plain report's tensor, under the key `report` of its `__metadata__`,
 * as JSON. `examples` is what the device trained on; the weight is min(examples, plan.sum.weightMax).
 */
export const ReportFactsSchema = Type.Object(
  { assignment: AssignmentIdSchema, examples: Type.Integer({ minimum: 1, maximum: examplesPerReportMax }), metrics: MetricSumsSchema, phases: PhasesSchema },
  { additionalProperties: false },
);
export type ReportFacts = Static<typeof ReportFactsSchema>;

/** The `__metadata__` key of a report's facts. */
export const reportFactsKey = "report";

/** Step 9, server to device: the round counted this report. Kept in the device's ledger. */
export const ReceiptSchema = Type.Object(
  {
    assignment: AssignmentIdSchema,
    modelHash: Type.Unsafe<Sha256Hex>(Type.String({ pattern: "^[0-9a-f]{64}$" })),
    /** How the report was protected: what the plan's sum said. */
    mechanism: Type.Union([Type.Literal("plain")]),
    signature: SignatureSchema,
  },
  { additionalProperties: false },
);
export type Receipt = Static<typeof ReceiptSchema>;

/** The bytes under a receipt's signature (population's receipt key, Ed25519). */
export function receiptBytes(receipt: Omit<Receipt, "signature">): Bytes {
  const { assignment, modelHash, mechanism } = receipt;
  return concatBytes(utf8FromText("tutti/1 receipt"), utf8FromText(canonicalJson({ assignment, modelHash, mechanism })));
}
