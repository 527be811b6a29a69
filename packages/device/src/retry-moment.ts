import { addDuration, durationMs, instantMs, unreachable, type InstantMs } from "@tutti/base";
import type { RetryClass, RetryWindow } from "@tutti/protocol";
import type { Ending } from "./ending.ts";
import type { DelayPolicy } from "./policy.ts";

/** An absolute time of this device's clock, and the longest wait that can be right for it. */
export type RetryMoment = { readonly atMs: number; readonly latestMs: number };

/** Both moments of one check-in, drawn once, when its windows arrive. */
export type RetryMoments = { readonly accepted: RetryMoment; readonly rejected: RetryMoment };

/** What one draw depends on. `uniform` lies in [0, 1). */
export type Draw = { readonly now: InstantMs; readonly uniform: number; readonly delays: DelayPolicy };

/** One moment in `window`, counted from now. The policy's floor and ceiling win over it; a window that ends before it starts is its start. */
export function drawMoment(window: RetryWindow, { now, uniform, delays }: Draw): RetryMoment {
  const { delayMsMin, delayMsMax } = delays;
  const latest = Math.max(window.earliestMs, window.latestMs);
  const waitMs = clamp(window.earliestMs + uniform * (latest - window.earliestMs), delayMsMin, delayMsMax);
  return { atMs: addDuration(now, durationMs(waitMs)), latestMs: clamp(latest, delayMsMin, delayMsMax) };
}

/** The window of a failed conversation: 15 min ± 20 % or 4 h ± 20 %, and never earlier than the server asked. */
export function failureWindow(retry: RetryClass, retryAfterMs: number, delays: DelayPolicy): RetryWindow {
  const centreMs = retry === "now" || retry === "transient" ? delays.transientMs : delays.permanentMs;
  // Cut before it is spread: an absurd wait must not leave the finite numbers.
  const askedMs = Math.min(retryAfterMs, delays.delayMsMax);
  if (askedMs > 0) return { earliestMs: askedMs, latestMs: askedMs * (1 + delays.spread) };
  return { earliestMs: centreMs * (1 - delays.spread), latestMs: centreMs * (1 + delays.spread) };
}

/** When to come again after one participation. @param moments null where no check-in was answered. */
export function momentAfter(ending: Ending, moments: RetryMoments | null, draw: Draw): RetryMoment {
  const failed = (retry: RetryClass, retryAfterMs: number) => drawMoment(failureWindow(retry, retryAfterMs, draw.delays), draw);
  switch (ending.kind) {
    case "done":
      return moments?.accepted ?? failed("transient", 0);
    case "goal-reached":
      return drawMoment(ending.retry, draw);
    case "declined":
    case "come-back":
    case "aborted":
      return moments?.rejected ?? failed("transient", 0);
    case "failed":
      // A message that must not be sent again (too late, refused) says nothing against the next participation.
      return ending.retry === "never" && ending.retryAfterMs === 0 && moments !== null ? moments.rejected : failed(ending.retry, ending.retryAfterMs);
    default:
      return unreachable(ending);
  }
}

/**
 * The moment itself, or a new one in (0, its window's later end]: one further away than that was stored
 * under another clock setting, and a corrected clock would wait for years.
 */
export function settledMoment(moment: RetryMoment, now: InstantMs, uniform: number): RetryMoment {
  if (Number.isFinite(moment.atMs) && moment.atMs - now <= moment.latestMs) return moment;
  const latestMs = Number.isFinite(moment.latestMs) ? Math.max(0, moment.latestMs) : 0;
  return { atMs: instantMs(now + uniform * latestMs), latestMs };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
