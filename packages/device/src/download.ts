import { err, equalBytes, bytesFromHex, ok, type Bytes, type Result } from "@tutti/base";
import type { AbortReason, BlobReference } from "@tutti/protocol";
import { cacheBlob, cachedBlob } from "./blob-cache.ts";
import type { DeviceContext } from "./device-context.ts";
import { aborted, causeText, type Ending } from "./ending.ts";
import { downloadAttemptsMax } from "./limits.ts";
import type { HttpAnswer } from "./platform.ts";
import { addressOf, paused } from "./server-call.ts";

/** Bytes received so far, into memory that was taken once, as long as the reference says. */
type Partial = { readonly bytes: Bytes; received: number };

/** What one request came to; a `broken` one may be gone on with. */
type Outcome = { readonly kind: "whole" } | { readonly kind: "refused"; readonly ending: Ending } | { readonly kind: "broken"; readonly detail: string };

/**
 * Step 5: the blob of `reference`, from the cache or the network, going on where a connection broke.
 * @param bytesMax longest blob that makes sense here; a longer reference takes no memory.
 */
export async function download(context: DeviceContext, reference: BlobReference, bytesMax: number, signal: AbortSignal): Promise<Result<Bytes, Ending>> {
  if (reference.bytes > bytesMax) return err(aborted("download-failed", `a blob of ${reference.bytes} bytes where at most ${bytesMax} make sense`));
  const cached = await cachedBlob(context, reference);
  if (cached !== null && (await hasHash(context, cached, reference))) return ok(cached);
  const partial: Partial = { bytes: new Uint8Array(reference.bytes), received: 0 };
  const fault = await receive(context, reference, partial, signal);
  if (fault !== null) return err(fault);
  if (!(await hasHash(context, partial.bytes, reference))) return err(aborted("blob-hash-differs", `not the blob ${reference.hash}`));
  await cacheBlob(context, reference, partial.bytes);
  return ok(partial.bytes);
}

async function hasHash(context: DeviceContext, bytes: Bytes, reference: BlobReference): Promise<boolean> {
  const expected = bytesFromHex(reference.hash);
  return expected.ok && equalBytes(await context.platform.crypto.sha256(bytes), expected.value);
}

/** Fills `partial`; null once it is whole. */
async function receive(context: DeviceContext, reference: BlobReference, partial: Partial, signal: AbortSignal): Promise<Ending | null> {
  let detail = "";
  for (let attempt = 1; attempt <= downloadAttemptsMax; attempt++) {
    if (attempt > 1 && !(await paused(context, context.policy.delays.requestPauseMs, signal))) break;
    const outcome = await receiveSome(context, reference, partial, signal);
    if (outcome.kind === "whole") return null;
    if (outcome.kind === "refused") return outcome.ending;
    detail = outcome.detail;
    if (signal.aborted) break;
  }
  return aborted("download-failed", detail);
}

/** One request; what broke off half-way stays in `partial`. Failures of the network become words here, once. */
async function receiveSome(context: DeviceContext, reference: BlobReference, partial: Partial, signal: AbortSignal): Promise<Outcome> {
  const url = addressOf(context, reference.url);
  if (url === null) return refused("download-failed", "an address that leaves the coordinator's TLS");
  try {
    signal.throwIfAborted();
    const range: Record<string, string> = partial.received === 0 ? {} : { range: `bytes=${partial.received}-` };
    const answer = await context.platform.fetch({ method: "GET", url, headers: range, body: null, signal });
    const start = startOf(answer, partial.received);
    if (start === null) {
      await release(answer);
      const detail = `HTTP status ${answer.status}`;
      return isFinal(answer.status) ? refused("download-failed", detail) : { kind: "broken", detail };
    }
    partial.received = start;
    for await (const chunk of answer.body) {
      if (partial.received + chunk.length > partial.bytes.length) return refused("blob-hash-differs", "more bytes than the reference says");
      partial.bytes.set(chunk, partial.received);
      partial.received += chunk.length;
    }
    return partial.received === partial.bytes.length ? { kind: "whole" } : { kind: "broken", detail: "the blob ended early" };
  } catch (cause) {
    return { kind: "broken", detail: causeText(cause) };
  }
}

function refused(reason: AbortReason, detail: string): Outcome {
  return { kind: "refused", ending: aborted(reason, detail) };
}

/** A client's fault stays one at the next try; too many requests, and a request that took too long, do not. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** An answer that nobody reads must not hold its connection. */
async function release(answer: HttpAnswer): Promise<void> {
  await answer.body[Symbol.asyncIterator]().return?.();
}

/** Where the answer's bytes belong: a server may ignore the range and send all. null for any other answer. */
function startOf(answer: HttpAnswer, received: number): number | null {
  if (answer.status === 200) return 0;
  const isContinued = answer.status === 206 && (answer.header("content-range") ?? "").startsWith(`bytes ${received}-`);
  return isContinued ? received : null;
}
