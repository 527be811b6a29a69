import { concatBytes, sha256, utf8FromText, type Bytes, type Sha256Hex } from "@tutti/base";
import * as Type from "typebox";
import type { Static } from "typebox";
import { canonicalJson, type Json } from "./canonical-json.ts";
import { PopulationNameSchema, TaskNameSchema } from "./ids.ts";
import { examplesPerReportMax, nameCharactersMax, textCharactersMax } from "./limits.ts";

/** JSON that another package decodes: `engine` the model and the local job, `privacy` the clause. */
const CarriedJson = Type.Unsafe<Json>(Type.Unknown());
const HashSchema = Type.Unsafe<Sha256Hex>(Type.String({ pattern: "^[0-9a-f]{64}$" }));

/** Which examples a task reads: a collection of the app, at one schema version. */
export const DataQuerySchema = Type.Object(
  {
    collection: Type.String({ minLength: 1, maxLength: nameCharactersMax }),
    schemaVersion: Type.Integer({ minimum: 1 }),
    examplesMin: Type.Integer({ minimum: 1, maximum: examplesPerReportMax }),
    examplesMax: Type.Integer({ minimum: 1, maximum: examplesPerReportMax }),
  },
  { additionalProperties: false },
);
export type DataQuery = Static<typeof DataQuerySchema>;

/** What a device must be and do to take part; judged on the device, which is asked for no proof. */
export const EligibilitySchema = Type.Object(
  {
    /** The conditions that must hold from start to upload. */
    conditions: Type.Array(Type.Union([Type.Literal("idle"), Type.Literal("charging"), Type.Literal("unmetered")]), { maxItems: 3 }),
    /** Engine memory that the device must be able to give, in bytes. */
    memoryBytesMin: Type.Optional(Type.Integer({ minimum: 0 })),
    /**
     * Which devices: each draws one number in [0, 1) when it enrols and keeps it to itself; those below
     * `heldOutFraction` never train and are the ones that evaluate.
     */
    cohort: Type.Union([Type.Literal("training"), Type.Literal("held-out")]),
    heldOutFraction: Type.Number({ minimum: 0, maximum: 1 }),
    /** Released steps of this task that must lie between two participations of one device; 1 allows every round. */
    minSeparation: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type Eligibility = Static<typeof EligibilitySchema>;

/** How reports are added up. `plain` shows each report to the coordinator, and the plan says why. */
export const SumClauseSchema = Type.Object(
  {
    kind: Type.Literal("plain"),
    because: Type.String({ minLength: 1, maxLength: textCharactersMax }),
    /** L2 bound of one report's delta, over all parameters, in parameter units. */
    clipNorm: Type.Number({ exclusiveMinimum: 0 }),
    /** A report counts min(examples, weightMax); 1 weighs all devices alike. */
    weightMax: Type.Integer({ minimum: 1, maximum: examplesPerReportMax }),
  },
  { additionalProperties: false },
);
export type SumClause = Static<typeof SumClauseSchema>;

export const TaskKindSchema = Type.Union([Type.Literal("train"), Type.Literal("evaluate")]);
export type TaskKind = Static<typeof TaskKindSchema>;

/**
 * All that a device sees of a round: one document per round, the same for every device in it.
 * Signed by the population's plan key. Unknown fields are refused: a device must understand
 * everything that it agrees to.
 */
export const PlanSchema = Type.Object(
  {
    /** Lowest protocol version that understands this plan. */
    protocol: Type.Integer({ minimum: 1 }),
    population: PopulationNameSchema,
    task: TaskNameSchema,
    kind: TaskKindSchema,
    round: Type.Integer({ minimum: 0 }),
    /** 32 random bytes as hex: two rounds never share a plan. */
    roundNonce: HashSchema,
    /** Released steps of the task before this round. */
    step: Type.Integer({ minimum: 0 }),
    model: CarriedJson,
    parameterCount: Type.Integer({ minimum: 1 }),
    /** SHA-256 of the safetensors blob with the parameters to start from. */
    modelHash: HashSchema,
    job: CarriedJson,
    data: DataQuerySchema,
    eligibility: EligibilitySchema,
    sum: SumClauseSchema,
    /** From receipt of the assignment until the report must have arrived, in ms. */
    reportDeadlineMs: Type.Number({ exclusiveMinimum: 0 }),
  },
  { additionalProperties: false },
);
export type Plan = Static<typeof PlanSchema>;

/** The bytes of a plan as a blob: their SHA-256 is the plan's hash and its address. */
export function planBytes(plan: Plan): Bytes {
  return utf8FromText(canonicalJson(plan));
}

/** The bytes under a plan's signature. @param bytes the plan's blob. */
export function planSignatureBytes(bytes: Uint8Array): Bytes {
  return planHashSignatureBytes(sha256(bytes));
}

/** The same, from the SHA-256 [32] of the plan's blob: a device takes its platform's and carries none of its own. */
export function planHashSignatureBytes(hash: Uint8Array): Bytes {
  return concatBytes(utf8FromText("fl-secagg/1 plan"), hash);
}
