import type { DataQuery, PopulationKeys, PopulationName } from "@tutti/protocol";
import type { VanishingRule, VanishingStep } from "./vanishing-schedule.ts";
import type { PeopleSource } from "../people.ts";

/** What a worker thread starts with: whose devices it runs, and where they report. */
export type WorkerSetup = {
  readonly coordinatorUrl: string;
  readonly population: PopulationName;
  readonly keys: PopulationKeys;
  readonly query: DataQuery;
  readonly people: PeopleSource;
  /** Indexes into the population: the devices of this thread. */
  readonly indexes: readonly number[];
  readonly vanishing: VanishingRule;
  /** Longest wait of a device between two check-ins, in ms. */
  readonly checkInMs: number;
};

/** To a worker: a training round began, and devices that vanished may start again; or all of them end. */
export type ToWorker = { readonly kind: "round-opened" } | { readonly kind: "stop" };

/** From a worker. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "device-vanished"; readonly round: number; readonly step: VanishingStep }
  | { readonly kind: "stopped" };
