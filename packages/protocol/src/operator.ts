import type { Sha256Hex } from "@tutti/base";
import * as Type from "typebox";
import type { Static } from "typebox";
import type { Json } from "./canonical-json.ts";
import { PopulationNameSchema, TaskNameSchema } from "./ids.ts";
import { TaskKindSchema } from "./plan.ts";
import { MetricSumsSchema } from "./report.ts";

const HashSchema = Type.Unsafe<Sha256Hex>(Type.String({ pattern: "^[0-9a-f]{64}$" }));

/** What an operator may ask of a task that runs. `pause` and `halt` let no new round begin; `halt` also ends the open one. */
export const taskActions = ["pause", "resume", "halt"] as const;
export type TaskAction = (typeof taskActions)[number];

/** A task as the operators' list shows it. */
export const TaskSummarySchema = Type.Object({
  population: PopulationNameSchema,
  task: TaskNameSchema,
  phase: Type.Union([Type.Literal("running"), Type.Literal("paused"), Type.Literal("halted"), Type.Literal("done")]),
  /** Which rule ended a done task: rounds, target, patience, date or operator. */
  stoppedBy: Type.Union([Type.String(), Type.Null()]),
  trainRoundsCommitted: Type.Integer({ minimum: 0 }),
  modelVersion: Type.Integer({ minimum: 0 }),
  modelHash: HashSchema,
  openRound: Type.Union([
    Type.Object({
      round: Type.Integer(),
      kind: TaskKindSchema,
      phase: Type.String(),
      assigned: Type.Integer(),
      reported: Type.Integer(),
      left: Type.Integer(),
      goalCount: Type.Integer(),
    }),
    Type.Null(),
  ]),
});
export type TaskSummary = Static<typeof TaskSummarySchema>;

/** How one round ended. */
export const RoundSummarySchema = Type.Object({
  round: Type.Integer(),
  kind: TaskKindSchema,
  outcome: Type.Union([Type.Literal("committed"), Type.Literal("abandoned")]),
  reason: Type.String(),
  assigned: Type.Integer(),
  reported: Type.Integer(),
  left: Type.Integer(),
  phases: Type.Record(Type.String(), Type.Integer()),
  metrics: Type.Union([MetricSumsSchema, Type.Null()]),
  durationMs: Type.Number(),
});
export type RoundSummary = Static<typeof RoundSummarySchema>;

/** A task with its document and its last rounds, newest first. */
export const TaskDetailSchema = Type.Object({
  summary: TaskSummarySchema,
  document: Type.Unsafe<Json>(Type.Unknown()),
  rounds: Type.Array(RoundSummarySchema),
});
export type TaskDetail = Static<typeof TaskDetailSchema>;

/** An immutable model version. */
export const ModelSummarySchema = Type.Object({
  version: Type.Integer({ minimum: 0 }),
  parent: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  /** The round that made it; null for the task's start. */
  round: Type.Union([Type.Integer(), Type.Null()]),
  hash: HashSchema,
  isLatest: Type.Boolean(),
  /** Sums over the devices that trained it; null for the start. */
  metrics: Type.Union([MetricSumsSchema, Type.Null()]),
});
export type ModelSummary = Static<typeof ModelSummarySchema>;

/** A file that was uploaded, under its hash. */
export const UploadedBlobSchema = Type.Object({ hash: HashSchema, bytes: Type.Integer({ minimum: 0 }) });
export type UploadedBlob = Static<typeof UploadedBlobSchema>;

export const TaskListSchema = Type.Object({ tasks: Type.Array(TaskSummarySchema) });
export const ModelListSchema = Type.Object({ models: Type.Array(ModelSummarySchema) });
