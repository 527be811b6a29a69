import { AssertionError, durationBetween, durationMs, err, instantMs, ok, type InstantMs, type Result } from "@tutti/base";
import type { CheckInRequest, Eligibility, PopulationKeys, PopulationName } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { drawUniform } from "./draw.ts";
import { causeText, failure, type Ending } from "./ending.ts";
import { enrol } from "./enrol.ts";
import { ExampleStore, type CollectionRules } from "./example-store.ts";
import { LedgerWriter, readLedger, type LedgerEntry } from "./ledger.ts";
import { collectionBytesMax } from "./limits.ts";
import { putNextMoment, waitForNextMoment } from "./next-moment.ts";
import { countPrefix } from "./participation-count.ts";
import { dropParticipation, readParticipation, type ParticipationRecord } from "./participation-record.ts";
import { participate, type Walked } from "./participation.ts";
import type { Holder } from "./place.ts";
import type { Platform } from "./platform.ts";
import { defaultPolicy, type DevicePolicy } from "./policy.ts";
import { resume } from "./resume.ts";
import { momentAfter, settledMoment } from "./retry-moment.ts";
import { paused } from "./server-call.ts";

export type DeviceOptions = {
  readonly population: PopulationName;
  readonly coordinatorUrl: string;
  /** The public halves that the app pins. */
  readonly keys: PopulationKeys;
  readonly platform: Platform;
  readonly policy?: DevicePolicy;
  readonly formFactor?: CheckInRequest["capabilities"]["formFactor"];
  readonly collections?: CollectionRules;
  /** For experiments only: overrides the device's own draw. */
  readonly cohort?: Eligibility["cohort"];
};

/** How one participation ended, and when to try again. */
export type ParticipationOutcome = { readonly ending: Ending | { readonly kind: "busy" }; readonly retryAtMs: InstantMs };

export type Device = {
  /**
   * One participation, at once: the one that a crash left under way, or else a new one, enrolling
   * first where that was not done. `busy` when another tab or process of this device is at it.
   */
  participate(signal?: AbortSignal): Promise<ParticipationOutcome>;
  /** Participates and waits for the drawn moments, until `signal` aborts. @param onOutcome told after each. */
  run(signal: AbortSignal, onOutcome?: (outcome: ParticipationOutcome) => void): Promise<void>;
  /** Every check-in and what came of it, oldest first. */
  ledger(): Promise<readonly LedgerEntry[]>;
  readonly examples: ExampleStore;
  /**
   * Erases examples, key, enrolment and history; the counts of reports stay, or erasing would reset a
   * limit. Refused while a participation runs: end it first.
   */
  forget(): Promise<Result<void, { readonly code: "busy" }>>;
};

const defaultRules: CollectionRules = { lifeMs: durationMs(30 * 24 * 3_600_000), bytesMax: collectionBytesMax };

/** A device of one population. Holds no connection, timer or key while it is idle. */
export function createDevice(options: DeviceOptions): Device {
  const { platform, population } = options;
  const context: DeviceContext = {
    population, platform, keys: options.keys,
    coordinatorUrl: options.coordinatorUrl.replace(/\/+$/, ""),
    policy: options.policy ?? defaultPolicy,
    formFactor: options.formFactor ?? "other",
    cohort: options.cohort === undefined ? null : { kind: "set", cohort: options.cohort },
  };
  const examples = new ExampleStore(platform, options.collections ?? defaultRules);
  const one = (signal = new AbortController().signal): Promise<ParticipationOutcome> => participateOnce(context, examples, signal);
  return {
    participate: one,
    run: async (signal, onOutcome = () => undefined) => {
      while ((await isUnderWay(context)) || (await waitForNextMoment(context, signal))) {
        if (signal.aborted) return;
        const outcome = await one(signal);
        onOutcome(outcome);
        await paused(context, durationBetween(platform.clock.now(), outcome.retryAtMs), signal);
      }
    },
    ledger: () => readLedger(platform.store),
    examples,
    forget: () => forget(context),
  };
}

/** Whether a participation runs in another tab, or was left by a crash: its place does not wait for a moment. */
async function isUnderWay({ platform }: DeviceContext): Promise<boolean> {
  return (await readParticipation(platform.store)) !== null;
}

function lockName({ population }: DeviceContext): string {
  return `tutti/${population}`;
}

/** What the platform's store, keys or lock throw is caught here, once; what it left is ended by the next participation. */
async function participateOnce(context: DeviceContext, examples: ExampleStore, signal: AbortSignal): Promise<ParticipationOutcome> {
  try {
    const held = await context.platform.lock.ifFree(lockName(context), () => underLock(context, examples, signal));
    return held.ok ? held.value : { ending: { kind: "busy" }, retryAtMs: retryAt(context, failure("busy", "transient", "")) };
  } catch (cause) {
    if (cause instanceof AssertionError) throw cause;
    const ending = failure("platform-failed", "transient", causeText(cause));
    return { ending, retryAtMs: retryAt(context, ending) };
  }
}

async function underLock(context: DeviceContext, examples: ExampleStore, signal: AbortSignal): Promise<ParticipationOutcome> {
  const { store, clock } = context.platform;
  await examples.eraseExpired();
  const left = await readParticipation(store);
  const reopened = left === null ? null : await LedgerWriter.reopen(store, left.entryId);
  const ledger = reopened ?? (await LedgerWriter.open(store, clock.now()));
  const holder = { context, ledger, signal };
  const walked = left === null || reopened === null ? await enrolledWalk(holder, examples) : await resumed(holder, left);
  return { ending: walked.ending, retryAtMs: await settle(holder, walked) };
}

async function resumed(holder: Holder, left: ParticipationRecord): Promise<Walked> {
  return { ending: await resume(holder, left), moments: left.moments };
}

async function enrolledWalk(holder: Holder, examples: ExampleStore): Promise<Walked> {
  const { context, signal } = holder;
  if (!context.platform.conditions.current().consent) return { ending: { kind: "declined" }, moments: null };
  const enrolment = await enrol(context, signal);
  if (!enrolment.ok) return { ending: enrolment.error, moments: null };
  const cohort = context.cohort ?? { kind: "drawn" as const, draw: enrolment.value.cohortDraw };
  return participate({ ...holder, examples, cohort });
}

const endPhases = { "done": "done", "goal-reached": "refused", "declined": "refused", "come-back": "refused", "aborted": "interrupted", "failed": "error" } as const;

/** The end of every participation and the moment of the next, in one transaction. */
async function settle({ context, ledger }: Holder, { ending, moments }: Walked): Promise<InstantMs> {
  const { clock, random } = context.platform;
  const now = clock.now();
  const drawn = momentAfter(ending, moments, { now, uniform: drawUniform(random), delays: context.policy.delays });
  // A moment from before a restart may be of another clock setting.
  const moment = settledMoment(drawn, now, drawUniform(random));
  ledger.reached(endPhases[ending.kind]);
  await ledger.write({ end: { atMs: now, ending } }, [...dropParticipation, putNextMoment(moment)]);
  return instantMs(moment.atMs);
}

/** A moment that is kept in memory alone. */
function retryAt({ platform, policy }: DeviceContext, ending: Ending): InstantMs {
  const draw = { now: platform.clock.now(), uniform: drawUniform(platform.random), delays: policy.delays };
  return instantMs(momentAfter(ending, null, draw).atMs);
}

async function forget(context: DeviceContext): Promise<Result<void, { readonly code: "busy" }>> {
  const { crypto, lock, store } = context.platform;
  const held = await lock.ifFree(lockName(context), async () => {
    // The key first: should the device die between the two, its enrolment is no longer one.
    await crypto.eraseKey(context.population);
    const records = await store.recordsUnder("");
    const gone = records.filter(({ key }) => !key.startsWith(countPrefix));
    await store.write([...gone.flatMap(({ key }) => [{ kind: "delete-record", key }, { kind: "delete-bytes", key }] as const), ...dropParticipation]);
  });
  return held.ok ? ok(undefined) : err({ code: "busy" });
}
