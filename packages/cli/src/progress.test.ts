import { instantMs, sha256Hex } from "@tutti/base";
import type { CoordinatorEvent } from "@tutti/coordinator";
import { populationName, taskName } from "@tutti/protocol";
import { expect, test } from "vitest";
import { liveLine, openProgress, plainLine, progressObject, stepProgress, type Progress, type ProgressEvent } from "./progress.ts";

const origin = { population: populationName("demo"), task: taskName("watch") };
const hash = sha256Hex("0".repeat(64));
const start = openProgress({ roundsMax: 4, startedAt: instantMs(0) });

function counts(assigned: number, reported: number) {
  return { assigned, reported, left: 0 };
}

const trained: readonly ProgressEvent[] = [
  { ...origin, kind: "round-opened", round: 0, roundKind: "train", goalCount: 9, assignedTarget: 12, recovered: false },
  { ...origin, kind: "round-progress", round: 0, roundKind: "train", phase: "selecting", counts: counts(7, 0) },
  { kind: "device-vanished", round: 0, step: "training" },
  { ...origin, kind: "round-progress", round: 0, roundKind: "train", phase: "reporting", counts: counts(12, 4) },
];
const committed: CoordinatorEvent = {
  ...origin, kind: "round-committed", round: 0, roundKind: "train", counts: counts(12, 9), phases: { "cdtTu.": 9, cdt: 1, c: 2 },
  metrics: { count: 200, lossSum: 100, correct: 150, absoluteErrorSum: 0 }, model: { version: 1, hash }, durationMs: 1240,
};
const evaluated: CoordinatorEvent = {
  ...origin, kind: "round-committed", round: 1, roundKind: "evaluate", counts: counts(5, 5), phases: { "cdtTu.": 5 },
  metrics: { count: 400, lossSum: 100, correct: 350, absoluteErrorSum: 0 }, model: null, durationMs: 300,
};

function after(...events: readonly ProgressEvent[]): Progress {
  return events.reduce(stepProgress, start);
}

test("a training round's line tells who took part, who dropped out and how it went", () => {
  // 12 − 9 did not report; 150 / 200 right.
  expect(plainLine(after(...trained), committed)).toBe("round 0  trained: of 12 devices 9 reported, 3 did not, 1 of them vanished; in training accuracy 75.0 % (1.2 s)");
});

test("an evaluation's line gives the figure of the devices that never train", () => {
  // 350 / 400 right.
  expect(plainLine(after(...trained, committed), evaluated)).toBe("round 1  evaluated by 5 devices that never train: accuracy 87.5 % (0.3 s)");
});

test("an abandoned round's line says why and that nothing changed", () => {
  const abandoned: CoordinatorEvent = { ...origin, kind: "round-abandoned", round: 0, roundKind: "train", counts: counts(1, 0), reason: "too-few-reports", phases: { c: 1 } };
  expect(plainLine(start, abandoned)).toBe("round 0  abandoned: too-few-reports, 0 of 1 device reported; the model is unchanged");
});

test("the stop's line names the rule", () => {
  const stopped: CoordinatorEvent = { ...origin, kind: "task-stopped", stoppedBy: "target", rounds: 17, modelVersion: 17, modelHash: hash };
  expect(plainLine(start, stopped)).toBe('stopped by the rule "target" after 17 training rounds, model version 17');
});

test("the live line shows the open round as it fills", () => {
  expect(liveLine(after(...trained), instantMs(500), 200)).toBe("trained 0/4 · round 0 training: 12 assigned, 4 of 9 reported, 1 vanished");
});

test("the live line estimates the time left by the mean length of the rounds so far", () => {
  // One of 4 rounds took 30 s: 3 × 30 s = 1:30 left.
  expect(liveLine(after(...trained, committed, evaluated), instantMs(30_000), 200)).toBe("trained 1/4 · accuracy 87.5 % on the unseen · at most 1:30 left");
});

test("the live line never reaches the terminal's last column, where it would wrap", () => {
  expect(liveLine(after(...trained), instantMs(500), 20)).toHaveLength(19);
});

test("a vanished device of an older round is not counted in the open one", () => {
  const progress = after(...trained, { kind: "device-vanished", round: 7, step: "training" });
  expect(progress.open?.vanished).toBe(1);
});

test("a regression's line gives its mean absolute error, in the target's units", () => {
  // 150 / 50 = 3.
  const regression = { ...evaluated, metrics: { count: 50, lossSum: 100, correct: 0, absoluteErrorSum: 150 } };
  expect(plainLine(start, regression)).toContain("mean absolute error 3.000 ");
});

test("a machine reads the event itself and what its sums measure", () => {
  expect(progressObject(evaluated)).toEqual({ ...evaluated, measured: { metric: "accuracy", value: 0.875 } });
});
