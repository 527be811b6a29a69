export {
  clipNormMax, clipNormMin, fixedOverSelectionMax, goalCountMax, overSelectionMax, overSelectionMin, patienceEvaluationsMax,
  roundCountMax, sumWeightMax, windowMsMax,
} from "./limits.ts";
export * from "./pacing.ts";
export * from "./round.ts";
export * from "./selection.ts";
export * from "./slots.ts";
export * from "./task.ts";
export * from "./task-progress.ts";
