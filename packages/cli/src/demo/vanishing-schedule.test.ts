import { expect, test } from "vitest";
import { vanishingStep, vanishingSteps } from "./vanishing-schedule.ts";

const rule = { seed: 7, perRound: 2, goalCount: 9 };

function lost(round: number): readonly (string | undefined)[] {
  return Array.from({ length: 20 }, (_, slot) => vanishingStep(rule, { round, slot })).filter((step) => step !== undefined);
}

test("every round loses exactly as many devices as the rule says, all among the places that the goal needs", () => {
  for (let round = 0; round < 200; round++) expect(lost(round), `round ${round}`).toHaveLength(2);
  expect(vanishingStep({ ...rule, perRound: 9 }, { round: 0, slot: 9 })).toBeUndefined();
});

test("over many rounds devices vanish at every step and in every place", () => {
  // 400 draws of 5 steps and 9 places: that one never comes has probability below 9·(8/9)^200 < 1e-9.
  const steps = new Set<string | undefined>();
  const slots = new Set<number>();
  for (let round = 0; round < 200; round++) {
    for (let slot = 0; slot < 9; slot++) {
      const step = vanishingStep(rule, { round, slot });
      if (step === undefined) continue;
      steps.add(step);
      slots.add(slot);
    }
  }
  expect([steps.size, slots.size]).toEqual([vanishingSteps.length, 9]);
});

test("no device vanishes where the rule takes none", () => {
  for (let slot = 0; slot < 9; slot++) expect(vanishingStep({ ...rule, perRound: 0 }, { round: 3, slot })).toBeUndefined();
});
