import { concatBytes, durationMs, err, ok, textFromUtf8, utf8FromText, type Bytes, type Result } from "@tutti/base";
import { canonicalJson, contentTypes, controlBodyBytesMax, decodeJson, ErrorBodySchema, type Json, type Malformed } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { failure, type Failure } from "./ending.ts";
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

/**
 * The decoded answer of the coordinator. A failed connection and a refusal of class `now` are tried
 * again after a pause, as often as the policy says; every other refusal is the caller's to judge.
 */
export async function callServer<T>(context: DeviceContext, call: ServerCall, decode: (text: string) => Result<T, Malformed>): Promise<Result<T, Failure>> {
  const { requestTries, requestPauseMs } = context.policy.delays;
  for (let tries = 1; ; tries++) {
    const outcome = await once(context, call, decode);
    const isRetried = !outcome.ok && outcome.error.retry === "now" && tries < requestTries && !call.signal.aborted;
    if (!isRetried) return outcome;
    if (!(await paused(context, requestPauseMs, call.signal))) return outcome;
  }
}

/** Waits; false when `signal` ended the wait. */
export async function paused(context: DeviceContext, pauseMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await context.platform.clock.sleep(durationMs(pauseMs), signal);
    return true;
  } catch (cause) {
    if (signal.aborted) return false;
    throw cause;
  }
}

export function absoluteUrl(context: DeviceContext, url: string): string {
  return /^https?:\/\//.test(url) ? url : `${context.coordinatorUrl}${url}`;
}

async function once<T>(context: DeviceContext, call: ServerCall, decode: (text: string) => Result<T, Malformed>): Promise<Result<T, Failure>> {
  const exchanged = await exchange(context, call);
  if (!exchanged.ok) return exchanged;
  const { status, body } = exchanged.value;
  const text = textFromUtf8(body);
  if (!text.ok) return err(failure("answer-malformed", "transient", "an answer that is not UTF-8"));
  if (status < 200 || status > 299) return err(refusalOf(status, text.value));
  const decoded = decode(text.value);
  return decoded.ok ? decoded : err(failure("answer-malformed", "transient", `${decoded.error.path} ${decoded.error.expected}`));
}

/** Every failure of the network becomes a value here, once. */
async function exchange(context: DeviceContext, call: ServerCall): Promise<Result<{ readonly status: number; readonly body: Bytes }, Failure>> {
  const isBytes = call.body instanceof Uint8Array;
  try {
    const answer = await context.platform.fetch({
      method: call.method,
      url: absoluteUrl(context, call.url),
      headers: { "content-type": isBytes ? contentTypes.safetensors : contentTypes.json, ...authorization(call.token) },
      body: call.body instanceof Uint8Array ? call.body : utf8FromText(canonicalJson(call.body)),
      signal: call.signal,
    });
    const body = await bodyUpTo(answer, controlBodyBytesMax);
    return body === null ? err(failure("answer-too-large", "transient", `an answer over ${controlBodyBytesMax} bytes`)) : ok({ status: answer.status, body });
  } catch (cause) {
    return err(failure("unreachable", "now", cause instanceof Error ? cause.message : "the connection failed"));
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
