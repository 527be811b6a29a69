import { ok } from "@tutti/base";
import type { AbortReason, AbortRequest } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { callServer } from "./server-call.ts";

/** Step 10: gives the place back. One try, because nobody waits for it: the round goes on without. */
export async function giveUp(
  context: DeviceContext,
  assigned: { readonly abortUrl: string; readonly token: string },
  given: { readonly reason: AbortReason; readonly phases: string; readonly detail: string },
): Promise<void> {
  const body: AbortRequest = { reason: given.reason, phases: given.phases, detail: given.detail.slice(0, 200) };
  const single = { ...context, policy: { ...context.policy, delays: { ...context.policy.delays, requestTries: 1 } } };
  const call = { method: "POST", url: assigned.abortUrl, body, token: assigned.token, signal: new AbortController().signal } as const;
  await callServer(single, call, () => ok(null));
}
