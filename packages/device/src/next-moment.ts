import { durationBetween, instantMs } from "@tutti/base";
import type { DeviceContext } from "./device-context.ts";
import { drawUniform } from "./draw.ts";
import type { StoreWrite } from "./platform.ts";
import { settledMoment, type RetryMoment } from "./retry-moment.ts";
import { paused } from "./server-call.ts";

const nextKey = "next-moment";

/** Keeps the moment of the next participation: a device that is started again waits for it as well. */
export function putNextMoment(moment: RetryMoment): StoreWrite {
  return { kind: "put-record", key: nextKey, value: moment };
}

/** Waits for the stored moment, whoever of the device's tabs drew it; false when `signal` ended the wait. */
export async function waitForNextMoment(context: DeviceContext, signal: AbortSignal): Promise<boolean> {
  const { store, clock, random } = context.platform;
  while (!signal.aborted) {
    const stored = momentOfRecord(await store.record(nextKey));
    const now = clock.now();
    const moment = stored === null ? null : settledMoment(stored, now, drawUniform(random));
    if (moment === null || moment.atMs <= now) return true;
    if (moment !== stored) await store.write([putNextMoment(moment)]);
    await paused(context, durationBetween(now, instantMs(moment.atMs)), signal);
  }
  return false;
}

/** null where there is none, or none that this SDK wrote. */
function momentOfRecord(value: unknown): RetryMoment | null {
  if (typeof value !== "object" || value === null || !("atMs" in value) || !("latestMs" in value)) return null;
  return { atMs: Number(value.atMs), latestMs: Number(value.latestMs) };
}
