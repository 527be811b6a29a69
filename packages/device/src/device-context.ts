import type { CheckInRequest, PopulationKeys, PopulationName } from "@tutti/protocol";
import type { CohortChoice } from "./eligibility.ts";
import type { Platform } from "./platform.ts";
import type { DevicePolicy } from "./policy.ts";

/** What every stop of the walk reads and none changes. */
export type DeviceContext = {
  readonly population: PopulationName;
  /** Without a trailing slash. */
  readonly coordinatorUrl: string;
  /** The public halves that the app pins. */
  readonly keys: PopulationKeys;
  readonly platform: Platform;
  readonly policy: DevicePolicy;
  readonly formFactor: CheckInRequest["capabilities"]["formFactor"];
  /** Set by the app for an experiment; null to use the device's own draw. */
  readonly cohort: Extract<CohortChoice, { kind: "set" }> | null;
};
