import { concatBytes, durationMs, err, ok, textFromUtf8, utf8FromText, type Bytes, type Result } from "@tutti/base";
import { canonicalJson, contentTypes, controlBodyBytesMax, decodeJson, ErrorBodySchema, type Json, type Malformed } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { drawUniform } from "./draw.ts";
import { causeText, failure, type Failure } from "./ending.ts";
import { requestWaitMsMax } from "./limits.ts";
import type { HttpAnswer } from "./platform.ts";

/** A request of the protocol, repeated byte for byte where it is tried again. */
export type ServerCall = {
  readonly method: "POST" | "PUT";
  /** Absolute, or relative to the coordinator. */
  readonly url: string;
  readonly body: Json | Bytes;
  /** Capability of an assignment; null before there is one. */
  readonly token: string | null;
  readonly signal: AbortSignal;
};

type Decode<T> = (text: string) => Result<T, Malformed>;

/**
 * The decoded answer of the coordinator. A failed connection, a refusal of class `now` and one that
 * asks for a short pause are tried again, as often as the policy says; the rest is the caller's to judge.
 */
export async function callServer<T>(context: DeviceContext, call: ServerCall, decode: Decode<T>): Promise<Result<T, Failure>> {
  for (let tries = 1; ; tries++) {
    const outcome = await callOnce(context, call, decode);
    if (outcome.ok || tries >= context.policy.delays.requestTries) return outcome;
    const waitMs = waitBeforeRetry(context, outcome.error);
    if (waitMs === null || !(await paused(context, waitMs, call.signal))) return outcome;
  }
}

/** One try. Nothing is sent once the call's signal has aborted. */
export async function callOnce<T>(context: DeviceContext, call: ServerCall, decode: Decode<T>): Promise<Result<T, Failure>> {
  const exchanged = await exchange(context, call);
  if (!exchanged.ok) return exchanged;
  const { status, body } = exchanged.value;
  const text = textFromUtf8(body);
  if (!text.ok) return err(failure("answer-malformed", "transient", "an answer that is not UTF-8"));
  if (status < 200 || status > 299) return err(refusalOf(status, text.value));
  const decoded = decode(text.value);
  return decoded.ok ? decoded : err(failure("answer-malformed", "transient", `${decoded.error.path} ${decoded.error.expected}`));
}

/** Waits; false when `signal` ended the wait. */
export async function paused(context: DeviceContext, pauseMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  try {
    await context.platform.clock.sleep(durationMs(pauseMs), signal);
    return true;
  } catch (cause) {
    if (signal.aborted) return false;
    throw cause;
  }
}

/**
 * Where a request goes. null for a URL that is no path of the coordinator and leaves its TLS: a
 * capability or a report must not travel in the clear because an answer said so.
 */
export function addressOf(context: DeviceContext, url: string): string | null {
  if (url.startsWith("/")) return `${context.coordinatorUrl}${url}`;
  const isPlainAllowed = context.coordinatorUrl.startsWith("http://");
  return url.startsWith("https://") || (isPlainAllowed && url.startsWith("http://")) ? url : null;
}

/** Within this conversation; null where it ends here. What a server asks for is spread, or all would be back at once. */
function waitBeforeRetry(context: DeviceContext, { retry, retryAfterMs }: Failure): number | null {
  const { requestPauseMs, spread } = context.policy.delays;
  if (retry !== "now" && retry !== "transient") return null;
  if (retryAfterMs > requestWaitMsMax) return null;
  if (retryAfterMs > 0) return retryAfterMs * (1 + spread * drawUniform(context.platform.random));
  return retry === "now" ? requestPauseMs : null;
}

/** Every failure of the network becomes a value here, once. */
async function exchange(context: DeviceContext, call: ServerCall): Promise<Result<{ readonly status: number; readonly body: Bytes }, Failure>> {
  const url = addressOf(context, call.url);
  if (url === null) return err(failure("address-refused", "permanent", "an address that leaves the coordinator's TLS"));
  try {
    call.signal.throwIfAborted();
    const isBytes = call.body instanceof Uint8Array;
    const answer = await context.platform.fetch({
      method: call.method,
      url,
      headers: { "content-type": isBytes ? contentTypes.safetensors : contentTypes.json, ...authorization(call.token) },
      body: call.body instanceof Uint8Array ? call.body : utf8FromText(canonicalJson(call.body)),
      signal: call.signal,
    });
    const body = await bodyUpTo(answer, controlBodyBytesMax);
    return body === null ? err(failure("answer-too-large", "transient", `an answer over ${controlBodyBytesMax} bytes`)) : ok({ status: answer.status, body });
  } catch (cause) {
    return err(failure("unreachable", "now", causeText(cause)));
  }
}

function authorization(token: string | null): Readonly<Record<string, string>> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** The whole body, or null as soon as it is longer than `bytesMax`. */
async function bodyUpTo(answer: HttpAnswer, bytesMax: number): Promise<Bytes | null> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of answer.body) {
    byteCount += chunk.length;
    if (byteCount > bytesMax) return null;
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

/** A refusal in the protocol's form, or, from a proxy that does not speak it, by its status. */
function refusalOf(status: number, text: string): Failure {
  const decoded = decodeJson(ErrorBodySchema, text);
  if (!decoded.ok) return failure(`http-${status}`, status >= 500 || status === 429 ? "transient" : "permanent", `HTTP status ${status}`);
  const { code, retry, message, retryAfterMs = 0 } = decoded.value.error;
  return { kind: "failed", code, retry, retryAfterMs, detail: message };
}
