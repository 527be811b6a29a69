import { SeededRandom } from "@tutti/base";

/** Where in a participation a device vanishes: after it got its place, amid a download, amid training, before or amid the upload. */
export const vanishingSteps = ["assigned", "downloading", "training", "trained", "uploading"] as const;
export type VanishingStep = (typeof vanishingSteps)[number];

/**
 * How devices vanish from a run's training rounds: `perRound` of those that hold the first `goalCount` places,
 * so that every round that can commit at all loses them, whoever they are.
 */
export type VanishingRule = { readonly seed: number; readonly perRound: number; readonly goalCount: number };

/**
 * Where the holder of `slot` in `round` vanishes; undefined where it stays. A function of the rule
 * alone, so that devices in different threads agree without a word.
 */
export function vanishingStep(rule: VanishingRule, place: { readonly round: number; readonly slot: number }): VanishingStep | undefined {
  const random = SeededRandom.from(rule.seed).split("vanishing").split(place.round);
  const rank = random.permutation(rule.goalCount).indexOf(place.slot);
  if (rank === -1 || rank >= rule.perRound) return undefined;
  return vanishingSteps[random.split(place.slot).below(vanishingSteps.length)];
}
