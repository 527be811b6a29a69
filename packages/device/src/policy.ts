import { blobCacheBytesMax, retryDelayMsMax } from "./limits.ts";

/** What the device itself allows and how long it waits, whatever a server says. */
export type DevicePolicy = {
  /** Whether it gives plain reports, which the coordinator can read. */
  readonly allowPlain: boolean;
  readonly blobCacheBytesMax: number;
  readonly delays: DelayPolicy;
};

/** Every delay in one record: tests and demonstrations shorten them here and nowhere else. */
export type DelayPolicy = {
  /** Tries of one request, the first included, and the pause between them. */
  readonly requestTries: number;
  readonly requestPauseMs: number;
  readonly transientMs: number;
  readonly permanentMs: number;
  /** Fraction by which the two above are spread at random to either side. */
  readonly spread: number;
  /** Floor and ceiling of every wait between two participations. */
  readonly delayMsMin: number;
  readonly delayMsMax: number;
};

/** The delays of the specification (algorithms.md, Orchestration). Plain reports must be allowed by the app. */
export const defaultPolicy: DevicePolicy = {
  allowPlain: false,
  blobCacheBytesMax,
  delays: {
    requestTries: 3,
    requestPauseMs: 5_000,
    transientMs: 15 * 60_000,
    permanentMs: 4 * 3_600_000,
    spread: 0.2,
    delayMsMin: 1_000,
    delayMsMax: retryDelayMsMax,
  },
};
