import { giveUp } from "./abort.ts";
import type { DeviceContext } from "./device-context.ts";
import { aborted, type Ending } from "./ending.ts";
import { watchInterruption } from "./interruption.ts";
import type { LedgerWriter } from "./ledger.ts";
import type { Place } from "./participation-record.ts";

/** What every stop with a place works with. */
export type Holder = { readonly context: DeviceContext; readonly ledger: LedgerWriter; readonly signal: AbortSignal };

/** Does `work` in a place: watched throughout, and given back where the work cannot be finished. */
export async function inPlace({ context, ledger, signal }: Holder, place: Place, work: (watched: AbortSignal) => Promise<Ending>): Promise<Ending> {
  const interruption = watchInterruption(context, place, signal);
  try {
    const ended = await work(interruption.signal);
    const reason = interruption.reason();
    // Whatever an interrupted stop reported, the interruption's own name says why it ended.
    const ending = reason !== null && (ended.kind === "aborted" || ended.kind === "failed") ? aborted(reason, ended.detail) : ended;
    if (ending.kind === "aborted") await giveUp(context, place.assigned, { reason: ending.reason, phases: ledger.entry.phases });
    return ending;
  } finally {
    interruption.dispose();
  }
}
