export { createDevice, type Device, type DeviceOptions, type ParticipationOutcome } from "./device.ts";
export type { Declined, Ending, Failure } from "./ending.ts";
export type { Ineligible } from "./eligibility.ts";
export { ExampleStore, type CollectionRules } from "./example-store.ts";
export type { LedgerEntry } from "./ledger.ts";
export type {
  Conditions, ConditionsSource, DeviceCrypto, DeviceKey, DeviceStore, EvaluationWork, Fetch, HttpAnswer, HttpRequest,
  LocalTrainer, Lock, Platform, StoredRecord, StoreWrite, TrainingWork,
} from "./platform.ts";
export { defaultPolicy, type DelayPolicy, type DevicePolicy } from "./policy.ts";
