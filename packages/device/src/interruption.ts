import { durationBetween, type InstantMs } from "@tutti/base";
import type { AbortReason, Eligibility } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { conditionLost } from "./eligibility.ts";

/** What ends a participation from outside; `reason` is set before `signal` aborts. */
export type Interruption = {
  readonly signal: AbortSignal;
  reason(): AbortReason | null;
  /** Ends the watch: no listener and no timer is left. */
  dispose(): void;
};

/** Watches consent, the task's conditions, the round's deadline and the app's own signal. */
export function watchInterruption(context: DeviceContext, watched: { readonly eligibility: Eligibility; readonly deadlineAtMs: InstantMs }, appSignal: AbortSignal): Interruption {
  const { clock, conditions } = context.platform;
  const controller = new AbortController();
  const timer = new AbortController();
  let reason: AbortReason | null = null;
  const stop = (why: AbortReason): void => {
    reason ??= why;
    controller.abort();
  };
  const judge = (): void => {
    if (!conditions.current().consent) stop("consent-withdrawn");
    else if (conditionLost(watched.eligibility, conditions.current()) !== null) stop("conditions-lost");
  };
  const onAppAbort = (): void => stop("shutting-down");
  const unsubscribe = conditions.subscribe(judge);
  appSignal.addEventListener("abort", onAppAbort, { once: true });
  // Rejects only when the watch ends.
  clock.sleep(durationBetween(clock.now(), watched.deadlineAtMs), timer.signal).then(() => stop("deadline-passed"), () => undefined);
  if (appSignal.aborted) onAppAbort();
  judge();
  return {
    signal: controller.signal,
    reason: () => reason,
    dispose: () => {
      unsubscribe();
      appSignal.removeEventListener("abort", onAppAbort);
      timer.abort();
    },
  };
}
