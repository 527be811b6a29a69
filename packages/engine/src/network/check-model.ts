import type { ModelCheck } from "../engine.ts";
import { batchSizeMax, trainerBytesMax } from "../limits.ts";
import type { LocalJob, LocalTraining } from "../local-job.ts";
import type { Model } from "../model.ts";
import { extraVectors } from "./extra-vectors.ts";
import { planNetwork } from "./plan.ts";

/** The bytes that a trainer of a model takes, or that they are too many: our kernels know every layer; `memoryBytes` is what a workspace takes for so many numbers. */
export function checkModel(model: Model, memoryBytes: (elementCount: number) => number): ModelCheck {
  const bytes = (batchSize: number, job?: LocalTraining | LocalJob): number => {
    const plan = planNetwork(model, Math.min(batchSize, batchSizeMax));
    return memoryBytes(plan.elementCount + (job === undefined ? 0 : extraVectors(job, plan.layout.parameterCount).elementCount));
  };
  if (bytes(1) > trainerBytesMax) return { ok: false, missing: [`${bytes(1)} bytes for a batch of one; ${trainerBytesMax} is the limit`] };
  return { ok: true, bytes };
}
