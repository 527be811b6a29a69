import { sha256Hex } from "@tutti/base";
import { assignmentId, populationName, roundId, taskName } from "../ids.ts";
import type { Plan, SumClause } from "../plan.ts";

export const hash = sha256Hex("a".repeat(64));
/** 32 bytes as base64url. */
export const key = "A".repeat(43);
/** 64 bytes as base64url. */
export const signature = "A".repeat(86);
export const assignmentExample = assignmentId(roundId(populationName("watches"), taskName("activity"), 7), 3);
export const sumExample: SumClause = { kind: "plain", because: "a demonstration", clipNorm: 1, weightMax: 100 };

export const planExample: Plan = {
  protocol: 1, population: populationName("watches"), task: taskName("activity"), kind: "train", round: 7, roundNonce: hash, step: 6,
  model: { layers: [] }, parameterCount: 15, modelHash: hash, job: { batchSize: 10 },
  data: { collection: "windows", schemaVersion: 1, examplesMin: 1, examplesMax: 100 },
  eligibility: { conditions: ["idle"], cohort: "training", heldOutFraction: 0.2, minSeparation: 1 },
  sum: sumExample, reportDeadlineMs: 60_000,
};
