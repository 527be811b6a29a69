import { durationMs, SeededRandom } from "@tutti/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { assignedTargetOf, dropoutOf, observeRound, openFleetEstimate, p90Of, reportingWindowOf, type FleetEstimate } from "./selection.ts";

const round = (assigned: number, reported: number, left: number, goalCount = 100) =>
  ({ goalCount, counts: { assigned, reported, left }, durationMs: durationMs(1000), deviceTimeP90Ms: null });
/** An estimate whose dropout is exactly `dropped` of 100. */
const estimateOf = (dropped: number): FleetEstimate => ({ ...openFleetEstimate(), droppedCount: dropped, reportedCount: 100 - dropped });

test("before anything is known 1.3 places per report are handed out", () => {
  expect([10, 100, 9].map((goal) => assignedTargetOf(goal, "adaptive", openFleetEstimate()))).toEqual([13, 130, 12]);
});

// p = .2, goal 100: 100/.8 + 2·√(100 · .2) = 125 + 8.94 = 133.94; p = .2, goal 10 000: 12 500 + 2·√2000 = 12 589.4
test("with a measured dropout the target is goal/(1−p) + 2 sd", () => {
  expect(assignedTargetOf(100, "adaptive", estimateOf(20))).toBe(134);
  expect(assignedTargetOf(10_000, "adaptive", estimateOf(20))).toBe(12_590);
});

test("the adaptive target stays between 1.1 and 1.6 times the goal", () => {
  expect(assignedTargetOf(100, "adaptive", estimateOf(0))).toBe(110);
  expect(assignedTargetOf(100, "adaptive", estimateOf(100))).toBe(160);
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 0, max: 100 }), (goal, dropped) => {
    const target = assignedTargetOf(goal, "adaptive", estimateOf(dropped));
    expect(target).toBeGreaterThanOrEqual(goal);
    expect(target).toBeLessThanOrEqual(Math.ceil(1.6 * goal));
  }));
});

test("an operator's factor is taken as it is: 1.1 · 10 places are eleven", () => {
  expect([1, 1.1, 2].map((factor) => assignedTargetOf(10, factor, estimateOf(90)))).toEqual([10, 11, 20]);
});

test("the surplus of a round that reached its goal is not taken for dropout", () => {
  expect(dropoutOf(observeRound(openFleetEstimate(), round(130, 100, 0)))).toBe(0);
});

test("devices that a round waited for in vain have dropped out, like those that left", () => {
  // 130 assigned, 10 left, 80 reported below the goal of 100: (10 + 40) / 130
  expect(dropoutOf(observeRound(openFleetEstimate(), round(130, 80, 10)))).toBeCloseTo(50 / 130, 12);
});

test("fewer than twenty devices say nothing yet", () => {
  expect(dropoutOf(observeRound(openFleetEstimate(), round(19, 9, 10, 10)))).toBeUndefined();
});

test("the estimate finds a constant dropout, and follows it when it changes", () => {
  const random = SeededRandom.from(5);
  let estimate = openFleetEstimate();
  const play = (dropout: number): void => {
    for (let i = 0; i < 40; i++) {
      const lost = Array.from({ length: 2000 }, () => random.uniform()).filter((draw) => draw < dropout).length;
      estimate = observeRound(estimate, round(2000, 2000 - lost, lost, 2000));
    }
  };
  play(0.2);
  // Effective sample 20 000 devices: sd .0028, so .02 is 7 sd (false alarm below 1e-11).
  expect(Math.abs((dropoutOf(estimate) ?? 0) - 0.2)).toBeLessThan(0.02);
  play(0.35);
  expect(Math.abs((dropoutOf(estimate) ?? 0) - 0.35)).toBeLessThan(0.03);
});

test("the adaptive window is twice the p90 of device time and at least thirty seconds", () => {
  const measured = (ms: number): FleetEstimate => ({ ...openFleetEstimate(), deviceTimeP90Ms: durationMs(ms) });
  expect(reportingWindowOf("adaptive", measured(60_000))).toBe(120_000);
  expect(reportingWindowOf("adaptive", measured(5000))).toBe(30_000);
  expect(reportingWindowOf("adaptive", openFleetEstimate())).toBe(600_000);
  expect(reportingWindowOf(durationMs(700), measured(60_000))).toBe(700);
});

test("a device time that was not measured leaves the one before", () => {
  const first = observeRound(openFleetEstimate(), { ...round(10, 10, 0), deviceTimeP90Ms: durationMs(400) });
  expect(observeRound(first, round(10, 10, 0)).deviceTimeP90Ms).toBe(400);
  // .9 · 400 + .1 · 800 = 440
  expect(observeRound(first, { ...round(10, 10, 0), deviceTimeP90Ms: durationMs(800) }).deviceTimeP90Ms).toBeCloseTo(440, 9);
});

test("the p90 is the nearest rank: the ninth of ten, the only one of one, none of none", () => {
  const times = Array.from({ length: 10 }, (_, i) => durationMs(10 - i));
  expect([p90Of(times), p90Of([durationMs(7)]), p90Of([])]).toEqual([9, 7, null]);
});
