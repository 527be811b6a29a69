import { durationMs, type SeededRandom } from "@tutti/base";
import type { LocalTrainer } from "@tutti/device";
import type { LocalTraining } from "@tutti/engine";
import type { VirtualTime } from "../world/virtual-time.ts";
import type { DueResults } from "./due-results.ts";
import { trainerMemoryBytesMax } from "./limits.ts";
import type { TrainingPool } from "./training-pool.ts";

export type TrainerParts = { readonly pool: TrainingPool; readonly time: VirtualTime; readonly due: DueResults };

/** A device's speed: how long it takes for one visit to an example, in ms. */
export type DeviceSpeed = { readonly msPerVisit: number };

/**
 * Until a device's engine runs. Longer than the devices of a round come apart (waking.ts): so all of them have
 * begun before the first is done, and every thread has its work.
 */
const engineStartMs = 2000;

/** The fastest devices of a simulation take half a ms per visit, the slowest four times as long. */
export function drawSpeed(random: SeededRandom): DeviceSpeed {
  return { msPerVisit: 0.5 + 1.5 * random.uniform() };
}

/** Training of one device: its bits from a thread of the pool, its time from the device's speed, never measured. */
export function pooledTrainer({ pool, time, due }: TrainerParts, { msPerVisit }: DeviceSpeed): LocalTrainer {
  const afterVisits = async <T>(visitCount: number, result: Promise<T>, signal: AbortSignal): Promise<T> => {
    // Where the sleep is broken off nobody asks for the result any more.
    result.catch(() => undefined);
    await time.sleep(durationMs(engineStartMs + msPerVisit * visitCount), signal);
    return due.take(result);
  };
  return {
    engines: ["wasm-simd"],
    memoryBytesMax: trainerMemoryBytesMax,
    train: (work, signal) => afterVisits(visitsOf(work.job, work.examples.exampleCount), pool.train(work), signal),
    // Without a backward pass: a third.
    evaluate: (work, signal) => afterVisits(work.examples.exampleCount / 3, pool.evaluate(work), signal),
  };
}

function visitsOf({ batchSize, epochCount, stepCountLimit }: LocalTraining, exampleCount: number): number {
  return Math.min(epochCount * exampleCount, batchSize * (stepCountLimit ?? Number.POSITIVE_INFINITY));
}
