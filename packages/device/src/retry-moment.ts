import { addDuration, durationMs, instantMs, type InstantMs } from "@tutti/base";
import type { RetryClass, RetryWindow } from "@tutti/protocol";
import type { DelayPolicy } from "./policy.ts";

/** An absolute time of this device's clock, and the longest wait that can be right for it. */
export type RetryMoment = { readonly atMs: number; readonly latestMs: number };

/** Both moments of one check-in, drawn once, when its windows arrive. */
export type RetryMoments = { readonly accepted: RetryMoment; readonly rejected: RetryMoment };

/**
 * One moment in `window`, counted from now. @param uniform a draw in [0, 1). The policy's floor and
 * ceiling win over the window; a window that ends before it starts is its start.
 */
export function drawMoment(window: RetryWindow, at: { readonly now: InstantMs; readonly uniform: number; readonly delays: DelayPolicy }): RetryMoment {
  const { delayMsMin, delayMsMax } = at.delays;
  const latest = Math.max(window.earliestMs, window.latestMs);
  const waitMs = clamp(window.earliestMs + at.uniform * (latest - window.earliestMs), delayMsMin, delayMsMax);
  return { atMs: addDuration(at.now, durationMs(waitMs)), latestMs: clamp(latest, delayMsMin, delayMsMax) };
}

/** The window of a failed conversation: 15 min ± 20 % or 4 h ± 20 %, and never earlier than the server asked. */
export function failureWindow(retry: RetryClass, retryAfterMs: number, delays: DelayPolicy): RetryWindow {
  const centreMs = retry === "now" || retry === "transient" ? delays.transientMs : delays.permanentMs;
  if (retryAfterMs > 0) return { earliestMs: retryAfterMs, latestMs: retryAfterMs * (1 + delays.spread) };
  return { earliestMs: centreMs * (1 - delays.spread), latestMs: centreMs * (1 + delays.spread) };
}

/**
 * Whether a stored moment can still be meant: one further away than its window's later end was
 * stored under another clock setting and must be redrawn, or a corrected clock would wait for years.
 */
export function isPlausible(moment: RetryMoment, now: InstantMs): boolean {
  return Number.isFinite(moment.atMs) && moment.atMs - now <= moment.latestMs;
}

/** The moment itself, or a new one in (0, its window's later end] when it is not plausible. */
export function settledMoment(moment: RetryMoment, now: InstantMs, uniform: number): RetryMoment {
  if (isPlausible(moment, now)) return moment;
  const latestMs = Number.isFinite(moment.latestMs) ? Math.max(0, moment.latestMs) : 0;
  return { atMs: instantMs(now + uniform * latestMs), latestMs };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
