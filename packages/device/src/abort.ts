import { ok } from "@tutti/base";
import type { AbortReason, AbortRequest, Assigned } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { callOnce } from "./server-call.ts";

/**
 * Step 10: gives the place back. One try, because nobody waits for it: the round goes on without.
 * Only the reason is told; its detail stays in the ledger, as it may say what the device holds.
 */
export async function giveUp(context: DeviceContext, assigned: Assigned, told: { readonly reason: AbortReason; readonly phases: string }): Promise<void> {
  const body: AbortRequest = { reason: told.reason, phases: told.phases };
  const call = { method: "POST", url: assigned.abortUrl, body, token: assigned.token, signal: new AbortController().signal } as const;
  await callOnce(context, call, () => ok(null));
}
