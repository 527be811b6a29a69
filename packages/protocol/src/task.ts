import type { Sha256Hex } from "@tutti/base";
import * as Type from "typebox";
import type { Static, TSchema } from "typebox";
import type { Json } from "./canonical-json.ts";
import { firstFault, matches, type Malformed } from "./decode.ts";
import { PopulationNameSchema, TaskNameSchema } from "./ids.ts";
import { textCharactersMax } from "./limits.ts";
import { DataQuerySchema, EligibilitySchema, SumClauseSchema } from "./plan.ts";

const closed = { additionalProperties: false } as const;
const CarriedJson = Type.Unsafe<Json>(Type.Unknown());
const PositiveMs = Type.Number({ exclusiveMinimum: 0 });
const Fraction = Type.Number({ minimum: 0, maximum: 1 });
const Count = Type.Integer({ minimum: 1 });
const Adaptive = Type.Literal("adaptive");

/** Where training starts: values drawn from a seed, or a safetensors blob that was uploaded before. */
const StartSchema = Type.Union(
  [
    Type.Object({ seed: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) }, closed),
    Type.Object({ blob: Type.Unsafe<Sha256Hex>(Type.String({ pattern: "^[0-9a-f]{64}$" })) }, closed),
  ],
  { description: '{ "seed": an integer of at least 0 } or { "blob": a SHA-256 of 64 hexadecimal digits }' },
);

/** Selection and reporting of a training round; "adaptive" follows what earlier rounds measured. */
const RoundSchema = Type.Object(
  {
    /** Reports with which a round is complete. */
    goalCount: Count,
    /** Places per report that is wanted. */
    overSelection: Type.Union([Type.Number({ minimum: 1 }), Adaptive], { description: 'a number of at least 1, or "adaptive"' }),
    selectionWindowMs: PositiveMs,
    /** Part of the places that must be held when the selection window ends. */
    selectionFractionMin: Fraction,
    reportingWindowMs: Type.Union([PositiveMs, Adaptive], { description: 'milliseconds above 0, or "adaptive"' }),
    /** Part of the goal with which a round counts when its time is over. */
    reportingFractionMin: Fraction,
  },
  closed,
);

/** Rounds on held-out devices: after every so many training rounds, and after the last one. */
const EvaluationSchema = Type.Object({ everyRounds: Count, goalCount: Count, windowMs: PositiveMs, fractionMin: Fraction }, closed);

const metricNames = ["accuracy", "loss", "mean-absolute-error"] as const;
export type MetricName = (typeof metricNames)[number];
const MetricNameSchema = Type.Unsafe<MetricName>(Type.Union(metricNames.map((name) => Type.Literal(name))));

/** Any of these rules ends the task; without one it runs until an operator halts it. */
const StopSchema = Type.Object(
  {
    /** Committed training rounds. */
    rounds: Type.Optional(Count),
    /** Reached by the metric of an evaluation on held-out devices. */
    target: Type.Optional(
      Type.Union(
        [Type.Object({ metric: MetricNameSchema, atLeast: Type.Number() }, closed), Type.Object({ metric: MetricNameSchema, atMost: Type.Number() }, closed)],
        { description: `{ "metric": ${metricNames.join(" | ")}, and one of "atLeast", "atMost": a number }` },
      ),
    ),
    /** No improvement by more than `delta` in that many evaluations, of the target's metric or else of the loss. */
    patience: Type.Optional(Type.Object({ evaluations: Count, delta: Type.Number({ minimum: 0 }) }, closed)),
    /** No round begins at or after this moment, in ISO 8601 with its zone, as "2027-01-31T18:00:00Z". */
    date: Type.Optional(Type.String({ maxLength: 40 })),
  },
  closed,
);

/** What w ← w + learningRate · Σw·x / Σw is called; others follow. */
const ServerOptimizerSchema = Type.Object({ kind: Type.Literal("fedavg"), learningRate: Type.Number({ exclusiveMinimum: 0 }) }, closed);

/** Conditions, memory and separation as in a plan; the cohort follows from the kind of the round. */
const TaskEligibilitySchema = Type.Object(
  {
    conditions: EligibilitySchema.properties.conditions,
    memoryBytesMin: EligibilitySchema.properties.memoryBytesMin,
    minSeparation: EligibilitySchema.properties.minSeparation,
  },
  closed,
);

/**
 * An operator's task as JSON: all that a task is before it runs. Unknown fields are refused. `rounds`
 * decides whether the parts fit each other, `engine` decodes `model` and `job`.
 */
export const TaskDocumentSchema = Type.Object(
  {
    name: TaskNameSchema,
    /** Where given, the only population that the task may be created in. */
    population: Type.Optional(PopulationNameSchema),
    description: Type.String({ minLength: 1, maxLength: textCharactersMax, description: `a text of 1 to ${textCharactersMax} characters` }),
    start: StartSchema,
    model: CarriedJson,
    job: CarriedJson,
    data: DataQuerySchema,
    round: RoundSchema,
    eligibility: TaskEligibilitySchema,
    /** Part of the devices that never train and evaluate instead. */
    heldOutFraction: Fraction,
    sum: SumClauseSchema,
    serverOptimizer: ServerOptimizerSchema,
    /** `checkpoint`: a report is acknowledged when it would survive a crash; `memory`: when it is added. */
    durability: Type.Union([Type.Literal("checkpoint"), Type.Literal("memory")]),
    evaluation: Type.Optional(EvaluationSchema),
    stop: StopSchema,
  },
  closed,
);
export type TaskDocument = Static<typeof TaskDocumentSchema>;

/**
 * Every field in which `value` breaks its schema, at most `faultsMax`, each with its path; none when it
 * matches. For documents that people write: a wire message is told its first fault alone.
 */
export function faultsOf(schema: TSchema, value: unknown, faultsMax: number): readonly Malformed[] {
  return faultsAt(schema, value, "").slice(0, faultsMax);
}

function faultsAt(schema: TSchema, value: unknown, path: string): readonly Malformed[] {
  // Annotated, because TypeScript would take the refuted guard for proof that nothing is left.
  const isFaultless: boolean = matches(schema, value);
  if (isFaultless) return [];
  if (Type.IsArray(schema) && Array.isArray(value)) {
    const inItems = value.flatMap((item: unknown, i) => faultsAt(schema.items, item, `${path}/${i}`));
    return inItems.length > 0 ? inItems : [leafFault(schema, value, path)];
  }
  if (!Type.IsObject(schema)) return [leafFault(schema, value, path)];
  if (!isRecord(value)) return [malformed(path, "an object")];
  const required = new Set(schema.required);
  const known = Object.entries(schema.properties).flatMap(([name, field]) => {
    if (Object.hasOwn(value, name)) return faultsAt(field, value[name], `${path}/${name}`);
    return required.has(name) ? [malformed(`${path}/${name}`, "this field")] : [];
  });
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(schema.properties, name));
  return [...known, ...unknown.map((name) => malformed(`${path}/${name}`, "no such field"))];
}

/** In the words of the schema's description, where it has one. */
function leafFault(schema: TSchema, value: unknown, path: string): Malformed {
  if ("description" in schema && typeof schema.description === "string") return malformed(path, schema.description);
  if (Type.IsLiteral(schema)) return malformed(path, JSON.stringify(schema.const));
  if (Type.IsUnion(schema) && schema.anyOf.every((form) => Type.IsLiteral(form))) return malformed(path, `one of ${schema.anyOf.map((form) => JSON.stringify(form.const)).join(", ")}`);
  const first = firstFault(schema, value);
  return malformed(path + (first.path === "/" ? "" : first.path), first.expected.replace(/^must (?:be |match )?/, ""));
}

function malformed(path: string, expected: string): Malformed {
  return { code: "malformed", path: path === "" ? "/" : path, expected };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
