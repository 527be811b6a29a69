import { durationMs } from "@tutti/base";
import { decode, RetryWindowSchema } from "@tutti/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { meanWaitOf, populationFromArrivals, retryWindows, type PacedTask } from "./pacing.ts";

const task = (assignedTarget: number, roundMs: number, nextOpensMs: number): PacedTask => ({ assignedTarget, roundMs: durationMs(roundMs), nextOpensMs: durationMs(nextOpensMs) });
const minute = 60_000;
const hour = 60 * minute;

test("a small population comes together when the next round opens", () => {
  const { accepted, rejected } = retryWindows({ populationCount: 50, tasks: [task(13, 4 * minute, minute)] });
  expect(rejected).toEqual({ earliestMs: minute, latestMs: 2 * minute });
  expect(accepted).toEqual(rejected);
});

test("in a demo of two-second rounds the window is half a second wide", () => {
  const { rejected } = retryWindows({ populationCount: 50, tasks: [task(13, 2000, 0)] });
  expect(rejected).toEqual({ earliestMs: 0, latestMs: 500 });
});

// 1 000 000 devices, 1000 per ten minutes: 1e6 / (1000 / 600 s) = 600 000 s = 166.7 h; half of it to either side.
test("a large population is spread around population / (devices needed per second)", () => {
  const { rejected, accepted } = retryWindows({ populationCount: 1_000_000, tasks: [task(1000, 10 * minute, 5)] });
  expect(meanWaitOf(rejected) / hour).toBeCloseTo(1e6 / 6000, 9);
  expect(rejected.latestMs / rejected.earliestMs).toBeCloseTo(3, 12);
  expect(accepted.earliestMs - rejected.earliestMs).toBe(10 * minute);
});

test("two tasks need more devices, so they come sooner", () => {
  const one = retryWindows({ populationCount: 1e5, tasks: [task(100, minute, 0)] });
  const two = retryWindows({ populationCount: 1e5, tasks: [task(100, minute, 0), task(100, minute, 0)] });
  expect(meanWaitOf(two.rejected)).toBeCloseTo(meanWaitOf(one.rejected) / 2, 6);
});

test("without a task a small population waits about a minute, a large one long enough to stay quiet", () => {
  expect(meanWaitOf(retryWindows({ populationCount: 50, tasks: [] }).rejected)).toBe(minute);
  const wait = meanWaitOf(retryWindows({ populationCount: 10_000_000, tasks: [] }).rejected);
  expect(10_000_000 / (wait / 1000)).toBeCloseTo(100, 6);
});

test("check-ins at the pace of the windows give back the population that they were made for", () => {
  const view = { populationCount: 200_000, tasks: [task(500, 2 * minute, 0)] };
  const meanWaitMs = meanWaitOf(retryWindows(view).rejected);
  expect(populationFromArrivals({ checkInsPerSecond: 200_000 / (meanWaitMs / 1000), meanWaitMs })).toBeCloseTo(200_000, 3);
});

test("every window is one that the protocol lets pass, and has a width", () => {
  const paced = fc.record({ assignedTarget: fc.integer({ min: 1, max: 1e6 }), roundMs: fc.integer({ min: 0, max: 48 * hour }), nextOpensMs: fc.integer({ min: 0, max: 100 * 24 * hour }) });
  fc.assert(fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), fc.array(paced, { maxLength: 4 }), (populationCount, tasks) => {
    const windows = retryWindows({ populationCount, tasks: tasks.map(({ assignedTarget, roundMs, nextOpensMs }) => task(assignedTarget, roundMs, nextOpensMs)) });
    for (const window of [windows.accepted, windows.rejected]) {
      expect(decode(RetryWindowSchema, window).ok).toBe(true);
      expect(window.latestMs - window.earliestMs).toBeGreaterThanOrEqual(99.999);
    }
  }));
});
