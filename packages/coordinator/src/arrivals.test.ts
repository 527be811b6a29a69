import { durationMs, instantMs } from "@tutti/base";
import { meanWaitOf, populationFromArrivals, retryWindows } from "@tutti/rounds";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Arrivals } from "./arrivals.ts";

const minute = 60_000;

test("a small fleet that comes together, round after round, is not taken for a large one", () => {
  const [fleet, roundMs] = [10, 11 * minute];
  const arrivals = new Arrivals(instantMs(0));
  const meanWaitMs = durationMs(1.125 * roundMs);
  for (let round = 0; round < 20; round++) {
    for (let device = 0; device < fleet; device++) {
      const now = instantMs(round * roundMs + 500 * device);
      arrivals.add(now, meanWaitMs);
      const seen = populationFromArrivals({ checkInsPerSecond: arrivals.perSecond(now, meanWaitMs), meanWaitMs });
      expect(seen).toBeLessThanOrEqual(2 * fleet);
    }
  }
});

test("nobody is sent away for long by a loop of arrivals and waits, however unlike the arrivals are", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2 * minute }), { minLength: 1, maxLength: 300 }), (gapsMs) => {
    const arrivals = new Arrivals(instantMs(0));
    const task = { assignedTarget: 2, roundMs: durationMs(minute), nextOpensMs: durationMs(minute) };
    let [now, meanWaitMs] = [0, durationMs(0)];
    for (const gapMs of gapsMs) {
      now += gapMs;
      arrivals.add(instantMs(now), meanWaitMs);
      const populationCount = populationFromArrivals({ checkInsPerSecond: arrivals.perSecond(instantMs(now), meanWaitMs), meanWaitMs });
      const windows = retryWindows({ populationCount, tasks: [task] });
      meanWaitMs = meanWaitOf(windows.rejected);
      // At most as if each check-in so far had been a device of its own: half a minute of the rounds' time for each.
      expect(windows.rejected.latestMs).toBeLessThanOrEqual(Math.max(1.25 * minute, 1.5 * 0.5 * minute * gapsMs.length));
    }
  }));
});

test("a large fleet is seen within the wait that it was given", () => {
  const [fleet, meanWaitMs] = [6000, durationMs(10 * minute)];
  const arrivals = new Arrivals(instantMs(0));
  for (let i = 0; i < 2 * fleet; i++) arrivals.add(instantMs((i * meanWaitMs) / fleet), meanWaitMs);
  const seen = populationFromArrivals({ checkInsPerSecond: arrivals.perSecond(instantMs(2 * meanWaitMs), meanWaitMs), meanWaitMs });
  expect(seen / fleet).toBeGreaterThan(0.99);
  expect(seen / fleet).toBeLessThan(1.01);
});
