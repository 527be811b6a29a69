import type { ModelCheck } from "../engine.ts";
import { isBuildable } from "../layers/build-layer.ts";
import { batchSizeMax, trainerBytesMax } from "../limits.ts";
import type { Model } from "../model.ts";
import { planNetwork } from "./plan.ts";

/** What our kernels cannot do of a model, or the bytes that a trainer of it takes. */
export function checkModel(model: Model): ModelCheck {
  const missing = [...new Set(model.layers.map((layer) => layer.kind))].filter((kind) => !isBuildable(kind));
  if (missing.length > 0) return { ok: false, missing };
  const bytes = (batchSize: number): number => 4 * planNetwork(model, batchSize).elementCount;
  if (bytes(1) > trainerBytesMax) return { ok: false, missing: [`${bytes(1)} bytes for a batch of one; ${trainerBytesMax} is the limit`] };
  return { ok: true, bytes: (batchSize) => bytes(Math.min(batchSize, batchSizeMax)) };
}
