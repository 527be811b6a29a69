import { expect, test } from "vitest";
import { cohortOf, ineligibility, type Demands, type DeviceFacts } from "./eligibility.ts";
import { defaultPolicy } from "./policy.ts";

const demands: Demands = {
  protocol: 1,
  data: { collection: "windows", schemaVersion: 1, examplesMin: 10, examplesMax: 100 },
  eligibility: { conditions: ["idle", "charging", "unmetered"], memoryBytesMin: 1000, cohort: "training", heldOutFraction: 0.2, minSeparation: 3 },
  sum: { kind: "plain", because: "a test", clipNorm: 1, weightMax: 1 },
  step: 7,
};
const facts: DeviceFacts = {
  policy: { ...defaultPolicy, allowPlain: true },
  conditions: { idle: true, charging: true, unmetered: true, consent: true },
  cohort: { kind: "drawn", draw: 0.2 },
  exampleCount: 10,
  memoryBytesMax: 1000,
  lastStep: 4,
};

test("a device at every limit takes part", () => {
  expect(ineligibility(demands, facts)).toBeNull();
});

test.for<[string, Partial<DeviceFacts>]>([
  ["no-consent", { conditions: { ...facts.conditions, consent: false } }],
  ["plain-not-allowed", { policy: defaultPolicy }],
  ["other-cohort", { cohort: { kind: "drawn", draw: 0.199 } }],
  ["too-few-examples", { exampleCount: 9 }],
  ["too-little-memory", { memoryBytesMax: 999 }],
  ["too-soon", { lastStep: 5 }],
  ["not-idle", { conditions: { ...facts.conditions, idle: false } }],
  ["not-charging", { conditions: { ...facts.conditions, charging: false } }],
  ["metered", { conditions: { ...facts.conditions, unmetered: false } }],
])("one step beyond a limit is refused as %s", ([reason, change]) => {
  expect(ineligibility(demands, { ...facts, ...change })).toBe(reason);
});

test("a separation of 1 allows a second report at the same step, because an abandoned round releases none", () => {
  const everyRound = { ...demands, eligibility: { ...demands.eligibility, minSeparation: 1 } };
  expect(ineligibility(everyRound, { ...facts, lastStep: 7 })).toBeNull();
});

test("the app's cohort wins over the draw", () => {
  expect(cohortOf({ kind: "set", cohort: "held-out" }, 0)).toBe("held-out");
});
