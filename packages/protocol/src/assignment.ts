import type { Sha256Hex } from "@tutti/base";
import * as Type from "typebox";
import type { Static } from "typebox";
import { SignatureSchema } from "./enrolment.ts";
import { AssignmentIdSchema, PopulationNameSchema, TaskNameSchema } from "./ids.ts";
import { phaseLettersMax, textCharactersMax, vectorBytesMax } from "./limits.ts";

/**
 * Step 4, device to server. `requestId` (16 random bytes, base64url) makes the request idempotent:
 * the same id gets the same assignment. It is drawn afresh for every assignment, so it links nothing.
 */
export const AssignmentRequestSchema = Type.Object({
  population: PopulationNameSchema,
  task: TaskNameSchema,
  protocol: Type.Integer({ minimum: 1 }),
  requestId: Type.String({ pattern: "^[A-Za-z0-9_-]{22}$" }),
});
export type AssignmentRequest = Static<typeof AssignmentRequestSchema>;

/** A blob by content: the device checks the hash, whoever served it. */
export const BlobReferenceSchema = Type.Object({
  hash: Type.Unsafe<Sha256Hex>(Type.String({ pattern: "^[0-9a-f]{64}$" })),
  bytes: Type.Integer({ minimum: 0, maximum: vectorBytesMax }),
  /** Absolute, or relative to the coordinator. */
  url: Type.String({ minLength: 1, maxLength: 2048 }),
});
export type BlobReference = Static<typeof BlobReferenceSchema>;

/** Step 4, server to device: a place in a round, or come back in the check-in's `rejected` window. */
export const AssignmentAnswerSchema = Type.Union([
  Type.Object({
    kind: Type.Literal("assigned"),
    assignment: AssignmentIdSchema,
    /** Capability: sent as `Authorization: Bearer`; HMAC over assignment and expiry, no device in it. */
    token: Type.String({ minLength: 1, maxLength: 512 }),
    plan: BlobReferenceSchema,
    planSignature: SignatureSchema,
    model: BlobReferenceSchema,
    reportUrl: Type.String({ minLength: 1, maxLength: 2048 }),
    abortUrl: Type.String({ minLength: 1, maxLength: 2048 }),
    /** From receipt until the round takes no more reports, in ms; never longer than the plan's. */
    reportDeadlineMs: Type.Number({ exclusiveMinimum: 0 }),
  }),
  Type.Object({ kind: Type.Literal("come-back") }),
]);
export type AssignmentAnswer = Static<typeof AssignmentAnswerSchema>;
export type Assigned = Extract<AssignmentAnswer, { kind: "assigned" }>;

/** Why a device gives a place back. */
export const abortReasons = [
  "conditions-lost",
  "consent-withdrawn",
  "plan-refused",
  "not-eligible",
  "download-failed",
  "blob-hash-differs",
  "engine-missing",
  "training-failed",
  "not-finite",
  "deadline-passed",
  "shutting-down",
] as const;
export type AbortReason = (typeof abortReasons)[number];

export const PhasesSchema = Type.String({ pattern: "^[a-zA-Z.]*$", maxLength: phaseLettersMax });

/** Step 10, device to server, best effort. The server counts the reason and frees the place. */
export const AbortRequestSchema = Type.Object({
  reason: Type.Unsafe<AbortReason>(Type.Union(abortReasons.map((reason) => Type.Literal(reason)))),
  phases: PhasesSchema,
  detail: Type.Optional(Type.String({ maxLength: textCharactersMax })),
});
export type AbortRequest = Static<typeof AbortRequestSchema>;
