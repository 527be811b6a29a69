import * as Type from "typebox";
import type { Static } from "typebox";
import { TaskNameSchema } from "./ids.ts";
import { offeredTasksMax } from "./limits.ts";
import { DataQuerySchema, EligibilitySchema, SumClauseSchema, TaskKindSchema } from "./plan.ts";
import { RetryWindowSchema } from "./retry-window.ts";

/** The protocol that this library speaks. */
export const protocolVersion = 1;

/**
 * Step 2, device to server. Limit: a control body. The server must keep nothing of it: no field
 * tells one device from another of its kind.
 */
export const CheckInRequestSchema = Type.Object({
  protocol: Type.Integer({ minimum: 1 }),
  /** Version of the SDK, for counts by version. */
  sdk: Type.String({ minLength: 1, maxLength: 32 }),
  capabilities: Type.Object({
    engines: Type.Array(Type.String({ maxLength: 32 }), { minItems: 1, maxItems: 8 }),
    memoryBytes: Type.Number({ minimum: 0 }),
    formFactor: Type.Union([Type.Literal("phone"), Type.Literal("watch"), Type.Literal("desktop"), Type.Literal("gateway"), Type.Literal("other")]),
  }),
});
export type CheckInRequest = Static<typeof CheckInRequestSchema>;

/** An open task as the check-in shows it: enough to decide on the device, checked again against the signed plan. */
export const TaskOfferSchema = Type.Object({
  task: TaskNameSchema,
  kind: TaskKindSchema,
  protocol: Type.Integer({ minimum: 1 }),
  data: DataQuerySchema,
  eligibility: EligibilitySchema,
  sum: SumClauseSchema,
  step: Type.Integer({ minimum: 0 }),
});
export type TaskOffer = Static<typeof TaskOfferSchema>;

/** Step 2, server to device. The device draws both moments at once and keeps them. */
export const CheckInAnswerSchema = Type.Object({
  tasks: Type.Array(TaskOfferSchema, { maxItems: offeredTasksMax }),
  /** When to check in again after taking part (`accepted`) or after getting no place (`rejected`). */
  retry: Type.Object({ accepted: RetryWindowSchema, rejected: RetryWindowSchema }),
});
export type CheckInAnswer = Static<typeof CheckInAnswerSchema>;
