import { unreachable } from "@tutti/base";
import { protocolVersion, type Eligibility, type TaskOffer } from "@tutti/protocol";
import type { Conditions } from "./platform.ts";
import type { DevicePolicy } from "./policy.ts";

/** Why a device does not take part in a task: its own decision, never sent, written in its ledger. */
export type Ineligible =
  | "no-consent"
  | "protocol-too-new"
  | "plain-not-allowed"
  | "other-cohort"
  | "too-few-examples"
  | "too-little-memory"
  | "too-soon"
  | "not-idle"
  | "not-charging"
  | "metered";

/** What the device knows of itself when it judges an offer. */
export type DeviceFacts = {
  readonly policy: DevicePolicy;
  readonly conditions: Conditions;
  /** Its own draw in [0, 1) since enrolment, or the cohort that the app set for an experiment. */
  readonly cohort: CohortChoice;
  /** Examples of the collection at the very schema version that the offer asks for. */
  readonly exampleCount: number;
  readonly memoryBytesMax: number;
  /** Step of its last report to this task; null before the first. */
  readonly lastStep: number | null;
};

export type CohortChoice = { readonly kind: "drawn"; readonly draw: number } | { readonly kind: "set"; readonly cohort: Eligibility["cohort"] };

/** The part of an offer, or of a plan, that eligibility is judged by. */
export type Demands = Pick<TaskOffer, "protocol" | "data" | "eligibility" | "sum" | "step">;

/** The first reason against taking part, or null. Refusing is normal. */
export function ineligibility(demands: Demands, facts: DeviceFacts): Ineligible | null {
  const { eligibility } = demands;
  if (!facts.conditions.consent) return "no-consent";
  if (demands.protocol > protocolVersion) return "protocol-too-new";
  if (demands.sum.kind === "plain" && !facts.policy.allowPlain) return "plain-not-allowed";
  if (cohortOf(facts.cohort, eligibility.heldOutFraction) !== eligibility.cohort) return "other-cohort";
  if (facts.exampleCount < demands.data.examplesMin) return "too-few-examples";
  if ((eligibility.memoryBytesMin ?? 0) > facts.memoryBytesMax) return "too-little-memory";
  if (isTooSoon(demands.step, eligibility.minSeparation, facts.lastStep)) return "too-soon";
  return conditionLost(eligibility, facts.conditions);
}

/** The first condition of the task that does not hold, or null; judged again and again until the upload. */
export function conditionLost(eligibility: Eligibility, conditions: Conditions): "not-idle" | "not-charging" | "metered" | null {
  for (const condition of eligibility.conditions) {
    switch (condition) {
      case "idle":
        if (!conditions.idle) return "not-idle";
        break;
      case "charging":
        if (!conditions.charging) return "not-charging";
        break;
      case "unmetered":
        if (!conditions.unmetered) return "metered";
        break;
      default:
        unreachable(condition);
    }
  }
  return null;
}

/** Devices whose draw lies below `heldOutFraction` never train and are the ones that evaluate. */
export function cohortOf(choice: CohortChoice, heldOutFraction: number): Eligibility["cohort"] {
  if (choice.kind === "set") return choice.cohort;
  return choice.draw < heldOutFraction ? "held-out" : "training";
}

/** 1 allows every round, also a second one at the same step: an abandoned round releases no step. */
function isTooSoon(step: number, minSeparation: number, lastStep: number | null): boolean {
  return minSeparation > 1 && lastStep !== null && step - lastStep < minSeparation;
}
