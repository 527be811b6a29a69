import { instantMs } from "@tutti/base";
import { assert, double, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { failure } from "./ending.ts";
import { defaultPolicy } from "./policy.ts";
import { drawMoment, failureWindow, momentAfter, settledMoment } from "./retry-moment.ts";

const { delays } = defaultPolicy;
const now = instantMs(1_000_000);
const uniform = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const waitMs = integer({ min: delays.delayMsMin, max: delays.delayMsMax });

test("a drawn moment lies in its window", () => {
  assert(property(waitMs, waitMs, uniform, (a, b, draw) => {
    const window = { earliestMs: Math.min(a, b), latestMs: Math.max(a, b) };
    const { atMs } = drawMoment(window, { now, uniform: draw, delays });
    expect(atMs - now).toBeGreaterThanOrEqual(window.earliestMs);
    expect(atMs - now).toBeLessThanOrEqual(window.latestMs);
  }));
});

test("a window of no time still waits the policy's floor", () => {
  expect(drawMoment({ earliestMs: 0, latestMs: 0 }, { now, uniform: 0, delays }).atMs - now).toBe(1_000);
});

test("a stored moment is kept until it lies beyond its window's later end, then redrawn within it", () => {
  const moment = drawMoment({ earliestMs: 60_000, latestMs: 120_000 }, { now, uniform: 0.5, delays });
  expect(settledMoment(moment, now, 0.9)).toBe(moment);
  const beforeStored = instantMs(now - 40_000_000);
  // the clock was set back: half of the window's later end from the new present
  expect(settledMoment(moment, beforeStored, 0.5).atMs).toBe(beforeStored + 60_000);
});

test("a transient failure waits 15 min and a permanent one 4 h, 20 % to either side, unless the server names a wait", () => {
  expect(failureWindow("transient", 0, delays)).toEqual({ earliestMs: 12 * 60_000, latestMs: 18 * 60_000 });
  expect(failureWindow("never", 0, delays)).toEqual({ earliestMs: 4 * 3_600_000 * 0.8, latestMs: 4 * 3_600_000 * 1.2 });
  expect(failureWindow("transient", 50_000, delays)).toEqual({ earliestMs: 50_000, latestMs: 60_000 });
});

test("a wait beyond all numbers is the longest that the device accepts, whatever is drawn", () => {
  for (const draw of [0, 1 - 2 ** -32]) {
    expect(drawMoment(failureWindow("transient", Number.MAX_VALUE, delays), { now, uniform: draw, delays }).atMs - now).toBe(delays.delayMsMax);
  }
});

test("before a check-in was answered every ending but a permanent failure waits 15 min ± 20 %", () => {
  const draw = { now, uniform: 0.5, delays };
  for (const ending of [{ kind: "declined" }, { kind: "come-back" }, failure("unreachable", "now", "")] as const) {
    expect(momentAfter(ending, null, draw).atMs - now).toBe(15 * 60_000);
  }
  expect(momentAfter(failure("unknown-population", "permanent", ""), null, draw).atMs - now).toBe(4 * 3_600_000);
});
