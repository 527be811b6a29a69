import type { Result } from "@tutti/base";
import type { EvaluationWork, TrainingWork } from "@tutti/device";
import type { EngineMissing, LocalResult, MetricSums } from "@tutti/engine";

/** One piece of work for a training thread; its arrays are transferred, not copied. */
export type TrainingJob =
  | { readonly kind: "train"; readonly id: number; readonly work: TrainingWork }
  | { readonly kind: "evaluate"; readonly id: number; readonly work: EvaluationWork };

/** What came of it. */
export type TrainingAnswer =
  | { readonly kind: "trained"; readonly id: number; readonly result: Result<LocalResult, EngineMissing> }
  | { readonly kind: "evaluated"; readonly id: number; readonly result: Result<MetricSums, EngineMissing> }
  | { readonly kind: "failed"; readonly id: number; readonly cause: string };
