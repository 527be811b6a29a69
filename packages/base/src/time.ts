import { assert } from "./assert.ts";
import type { Brand } from "./brand.ts";

/** A moment of one machine's own clock, in milliseconds since 1970-01-01 UTC. Never crosses the wire. */
export type InstantMs = Brand<number, "InstantMs">;
/** A length of time in milliseconds, at least 0. This is what crosses the wire. */
export type DurationMs = Brand<number, "DurationMs">;

/** The only way to read time or to wait; the simulator's clock is virtual. */
export interface Clock {
  now(): InstantMs;
  /** Resolves after `durationMs`; rejects with the signal's reason when it aborts first. */
  sleep(durationMs: DurationMs, signal?: AbortSignal): Promise<void>;
}

export function instantMs(value: number): InstantMs {
  assert(Number.isFinite(value), "an instant is a finite number of milliseconds");
  return value as InstantMs;
}

export function durationMs(value: number): DurationMs {
  assert(Number.isFinite(value) && value >= 0, "a duration is finite and at least 0 ms");
  return value as DurationMs;
}

export function addDuration(instant: InstantMs, duration: DurationMs): InstantMs {
  return instantMs(instant + duration);
}

/** Time from `earlier` to `later`, 0 when `later` has passed already. */
export function durationBetween(earlier: InstantMs, later: InstantMs): DurationMs {
  return durationMs(Math.max(0, later - earlier));
}
