import type { AbortReason, Receipt, RetryClass, TaskName } from "@tutti/protocol";
import type { Ineligible } from "./eligibility.ts";

/** An offer that this device declined. */
export type Declined = { readonly task: TaskName; readonly reason: Ineligible };

/** How a participation ended; each variant holds only what is true in it. */
export type Ending =
  | { readonly kind: "done"; readonly receipt: Receipt }
  /** The round had its reports before this one was sent; nothing left the device. */
  | { readonly kind: "goal-reached" }
  /** No offer suited the device, or none was made. */
  | { readonly kind: "declined" }
  /** The round had no place. */
  | { readonly kind: "come-back" }
  | { readonly kind: "aborted"; readonly reason: AbortReason; readonly detail: string }
  | Failure;

/** A conversation that failed for good: after its retries, or by a refusal. */
export type Failure = {
  readonly kind: "failed";
  /** The server's error code, or what the device found. */
  readonly code: string;
  readonly retry: RetryClass;
  /** 0 where the server asked for no special wait. */
  readonly retryAfterMs: number;
  readonly detail: string;
};

export function failure(code: string, retry: RetryClass, detail: string): Failure {
  return { kind: "failed", code, retry, retryAfterMs: 0, detail };
}

export function aborted(reason: AbortReason, detail: string): Extract<Ending, { kind: "aborted" }> {
  return { kind: "aborted", reason, detail };
}
