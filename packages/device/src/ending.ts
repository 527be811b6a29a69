import type { AbortReason, Receipt, RetryClass, RetryWindow, TaskName } from "@tutti/protocol";
import type { Ineligible } from "./eligibility.ts";
import { detailCharactersMax } from "./limits.ts";

/** An offer that this device declined. */
export type Declined = { readonly task: TaskName; readonly reason: Ineligible };

/** How a participation ended; each variant holds only what is true in it. */
export type Ending =
  | { readonly kind: "done"; readonly receipt: Receipt }
  /** The round had its reports before this one was sent; it never left the device. */
  | { readonly kind: "goal-reached"; readonly retry: RetryWindow }
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

/** What a port threw, in words for the ledger. */
export function causeText(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, detailCharactersMax);
}
