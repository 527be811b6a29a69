import type { LocalJob, LocalTraining } from "../local-job.ts";

/** Vectors of [parameterCount] beyond the network's own memory, taken when a job asks for them. */
export type ExtraVector = "gradient" | "example-gradient" | "velocity" | "first-moment" | "second-moment" | "square-sum" | "start" | "correction";

/** `stride` numbers apart, `elementCount` in all. */
export type ExtraVectors = { readonly names: readonly ExtraVector[]; readonly stride: number; readonly elementCount: number };

/** The vectors that a job needs, in their order in memory: none for plain SGD. */
export function extraVectors(job: LocalTraining | LocalJob, parameterCount: number): ExtraVectors {
  const names = namesOf(job);
  const stride = vectorStride(parameterCount);
  return { names, stride, elementCount: names.length * stride };
}

/** Room for one vector: 16-byte boundaries, and a vector load past the end. */
export function vectorStride(parameterCount: number): number {
  return Math.ceil(parameterCount / 4) * 4 + 4;
}

/** w ← w − lr·g and nothing else: the step is taken while the gradient is computed. */
export function isPlainSgd(job: LocalTraining | LocalJob): boolean {
  const { optimizer } = job;
  return optimizer.kind === "sgd" && optimizer.momentum === 0 && optimizer.weightDecay === 0 && job.proximalTerm === 0 && !isCorrected(job) && job.clip === null;
}

function namesOf(job: LocalTraining | LocalJob): readonly ExtraVector[] {
  if (isPlainSgd(job)) return [];
  const { optimizer } = job;
  const names: ExtraVector[] = ["gradient"];
  if (job.clip?.per === "example") names.push("example-gradient");
  if (optimizer.kind === "sgd" && optimizer.momentum > 0) names.push("velocity");
  if (optimizer.kind === "adam" || optimizer.kind === "adamw") names.push("first-moment", "second-moment");
  if (optimizer.kind === "adagrad") names.push("square-sum");
  if (job.proximalTerm > 0) names.push("start");
  if (isCorrected(job)) names.push("correction");
  return names;
}

function isCorrected(job: LocalTraining | LocalJob): boolean {
  return "correction" in job && job.correction !== null;
}
