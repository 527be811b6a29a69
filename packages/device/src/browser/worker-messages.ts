import type { Result } from "@tutti/base";
import type { BatchSource, Numerics } from "@tutti/engine";
import type { DeviceOptions, ParticipationOutcome } from "../device.ts";
import type { LedgerEntry } from "../ledger.ts";
import type { DevicePolicy } from "../policy.ts";
import type { KernelUrls } from "./kernel-files.ts";
import type { PageConditions } from "./page-conditions.ts";

/** What a page tells the worker of its device, as plain data. */
export type HostSettings = Omit<DeviceOptions, "platform" | "population" | "policy"> & {
  readonly population: string;
  /** Over the defaults. */
  readonly policy: Partial<DevicePolicy>;
  readonly numerics: Numerics;
  readonly memoryBytesMax: number;
  /** null for what the engine ships. */
  readonly kernelUrls: KernelUrls | null;
};

/** First message to a worker; the port for all others comes with it. */
export type OpenMessage = { readonly settings: HostSettings; readonly conditions: PageConditions };

type Refusable<Code extends string> = Result<void, { readonly code: Code }>;

/** What a page may ask of its device's worker. Arguments and answers are plain data. */
export type DeviceCalls = {
  participate(): Promise<ParticipationOutcome>;
  run(): Promise<void>;
  ledger(): Promise<readonly LedgerEntry[]>;
  forget(): Promise<Refusable<"busy">>;
  setConsent(isGiven: boolean): Promise<void>;
  addExamples(collection: string, schemaVersion: number, batch: BatchSource): Promise<Result<void, { readonly code: "bad-examples"; readonly expected: string }>>;
  countExamples(query: { readonly collection: string; readonly schemaVersion: number }): Promise<number>;
  eraseExamples(collection?: string): Promise<void>;
};

/** One call, by the name of what it asks. */
export type CallMessage = { [Name in keyof DeviceCalls]: { readonly kind: "call"; readonly id: number; readonly name: Name; readonly args: Parameters<DeviceCalls[Name]> } }[keyof DeviceCalls];

export type ToHost =
  | CallMessage
  /** The call's own signal aborted. */
  | { readonly kind: "abort"; readonly id: number }
  | { readonly kind: "conditions"; readonly conditions: PageConditions };

export type FromHost =
  | { readonly kind: "opened"; readonly engines: readonly string[] }
  | { readonly kind: "refused"; readonly cause: string }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "fault"; readonly id: number; readonly cause: string }
  /** One participation of a call of `run`. */
  | { readonly kind: "outcome"; readonly id: number; readonly outcome: ParticipationOutcome }
  | { readonly kind: "consent"; readonly isGiven: boolean };
