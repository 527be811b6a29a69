import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { base64urlFromBytes, bytesFromBase64url, equalBytes, textFromUtf8, utf8FromText, type Bytes, type Result } from "@tutti/base";
import {
  AbortRequestSchema, assignmentId, AssignmentRequestSchema, certificateBytes, CheckInRequestSchema, contentTypes, decodeJson, EnrolmentRequestSchema, errorCodes,
  planBytes, planSignatureBytes, receiptBytes, ReportBeginRequestSchema, routes,
  type AssignmentId, type CheckInAnswer, type ErrorCode, type Json, type Malformed, type Plan, type PopulationKeys,
} from "@tutti/protocol";
import type { HttpAnswer, HttpRequest } from "../platform.ts";
import { hashOf, modelFile, offer, plan, population, round } from "./scripted-task.ts";

/** What one test's coordinator says; all of it as a healthy one would unless the test changes it. */
export type Script = {
  readonly checkIn: CheckInAnswer;
  readonly plan: Plan;
  readonly modelFile: Uint8Array;
  readonly reportDeadlineMs: number;
  /** Before or where the address of reports begins. */
  readonly reportHost: string;
  readonly hasPlace: boolean;
  readonly isGoalReached: boolean;
};

export const retryWindows = { accepted: { earliestMs: 60_000, latestMs: 120_000 }, rejected: { earliestMs: 200_000, latestMs: 300_000 } };
export const goalReachedWindow = { earliestMs: 20_000, latestMs: 30_000 };

const healthy: Script = {
  checkIn: { tasks: [offer], retry: retryWindows },
  plan, modelFile, reportDeadlineMs: 300_000, reportHost: "", hasPlace: true, isGoalReached: false,
};

/** Answers a request otherwise than the script; null to let the script answer. */
export type Fault = (request: HttpRequest, call: string) => HttpAnswer | Promise<HttpAnswer> | null;

/**
 * One round's coordinator in memory: it speaks the device protocol with real signatures, decodes
 * every request by its schema, and keeps what it was told. It knows no round states: a test scripts them.
 */
export class ScriptedCoordinator {
  readonly keys: PopulationKeys;
  /** "POST /v1/assignments" and so on, in the order in which requests came. */
  readonly calls: string[] = [];
  /** Which place each request id got. */
  readonly places = new Map<string, AssignmentId>();
  /** Every body that came for an assignment, the same ones sent again included. */
  readonly reports = new Map<AssignmentId, Bytes[]>();
  /** Reason of each place that was given back. */
  readonly departures = new Map<AssignmentId, string>();
  /** Bodies of the aborts as they came. */
  readonly abortTexts: string[] = [];
  script: Script;
  fault: Fault = () => null;
  readonly #enrolment = generateKeyPairSync("ed25519");
  readonly #plan = generateKeyPairSync("ed25519");
  readonly #receipt = generateKeyPairSync("ed25519");

  constructor(changes: Partial<Script> = {}) {
    this.script = { ...healthy, ...changes };
    this.keys = { enrolment: publicHalf(this.#enrolment), plan: publicHalf(this.#plan), receipt: publicHalf(this.#receipt) };
  }

  /** Rejects once the request's signal has aborted, as every platform's fetch does. */
  async fetch(request: HttpRequest): Promise<HttpAnswer> {
    request.signal.throwIfAborted();
    const call = `${request.method} ${request.url.replace(/^https?:\/\/[^/]+/, "")}`;
    this.calls.push(call);
    return (await this.fault(request, call)) ?? this.scripted(request, call);
  }

  token(assignment: AssignmentId): string {
    return `capability-of-${assignment}`;
  }

  /** What the script says to one request. */
  scripted(request: HttpRequest, call: string): HttpAnswer {
    const report = /^(POST|PUT) \/v1\/reports\/([^:]+)(:begin)?$/.exec(call);
    const abort = /^POST \/v1\/assignments\/([^:]+):abort$/.exec(call);
    if (call === `POST ${routes.devices(population)}`) return this.#enrol(request);
    if (call === `POST ${routes.checkIns(population)}`) return this.#withBody(decodeJson(CheckInRequestSchema, textOf(request)), () => json(this.script.checkIn));
    if (call === `POST ${routes.assignments()}`) return this.#assign(request);
    if (call.startsWith("GET /v1/blobs/")) return this.#blob(call);
    if (report !== null) return this.#held(request, report[2], (assignment) => (report[3] === undefined ? this.#report(request, assignment) : this.#begin(request)));
    if (abort !== null) return this.#held(request, abort[1], (assignment) => this.#left(request, assignment));
    return refusal("not-found");
  }

  #enrol(request: HttpRequest): HttpAnswer {
    return this.#withBody(decodeJson(EnrolmentRequestSchema, textOf(request)), ({ publicKey }) => {
      const unsigned = { population, publicKey, expiresAtMs: 4e12 };
      return json({ certificate: { ...unsigned, signature: signatureOf(this.#enrolment.privateKey, certificateBytes(unsigned)) } });
    });
  }

  #assign(request: HttpRequest): HttpAnswer {
    return this.#withBody(decodeJson(AssignmentRequestSchema, textOf(request)), ({ requestId }) => {
      const known = this.places.get(requestId);
      if (known === undefined && !this.script.hasPlace) return json({ kind: "come-back" });
      const assignment = known ?? assignmentId(round, this.places.size);
      this.places.set(requestId, assignment);
      return json(this.#assigned(assignment));
    });
  }

  #assigned(assignment: AssignmentId): Json {
    const { plan: planned, modelFile: file, reportHost, reportDeadlineMs } = this.script;
    const bytes = planBytes(planned);
    return {
      kind: "assigned", assignment, token: this.token(assignment), reportDeadlineMs,
      plan: { hash: hashOf(bytes), bytes: bytes.length, url: routes.blob(hashOf(bytes)) },
      planSignature: signatureOf(this.#plan.privateKey, planSignatureBytes(bytes)),
      model: { hash: planned.modelHash, bytes: file.length, url: routes.blob(planned.modelHash) },
      reportUrl: reportHost + routes.report(assignment), abortUrl: routes.abort(assignment),
    };
  }

  #blob(call: string): HttpAnswer {
    const bytes = planBytes(this.script.plan);
    if (call.endsWith(hashOf(bytes))) return answer(200, bytes);
    return call.endsWith(this.script.plan.modelHash) ? answer(200, this.script.modelFile) : refusal("unknown-blob");
  }

  /** A message about a place needs the place's capability. */
  #held(request: HttpRequest, id: string | undefined, then: (assignment: AssignmentId) => HttpAnswer): HttpAnswer {
    const assignment = [...this.places.values()].find((place) => place === id);
    if (assignment === undefined) return refusal("unknown-assignment");
    return request.headers["authorization"] === `Bearer ${this.token(assignment)}` ? then(assignment) : refusal("token-invalid");
  }

  #begin(request: HttpRequest): HttpAnswer {
    return this.#withBody(decodeJson(ReportBeginRequestSchema, textOf(request)), () =>
      json(this.script.isGoalReached ? { kind: "goal-reached", retry: goalReachedWindow } : { kind: "go" }));
  }

  /** The first report of an assignment stands; another one is refused, the same one gets the same receipt. */
  #report(request: HttpRequest, assignment: AssignmentId): HttpAnswer {
    if (request.headers["content-type"] !== contentTypes.safetensors) return refusal("unsupported-media-type");
    const body = Uint8Array.from(request.body ?? []);
    const bodies = [...(this.reports.get(assignment) ?? []), body];
    this.reports.set(assignment, bodies);
    if (this.departures.has(assignment)) return refusal("unknown-assignment");
    return bodies.every((other) => equalBytes(other, body)) ? json(this.receipt(assignment)) : refusal("report-conflict");
  }

  receipt(assignment: AssignmentId): { readonly assignment: AssignmentId; readonly modelHash: Plan["modelHash"]; readonly mechanism: "plain"; readonly signature: string } {
    const unsigned = { assignment, modelHash: this.script.plan.modelHash, mechanism: "plain" } as const;
    return { ...unsigned, signature: signatureOf(this.#receipt.privateKey, receiptBytes(unsigned)) };
  }

  #left(request: HttpRequest, assignment: AssignmentId): HttpAnswer {
    const text = textOf(request);
    return this.#withBody(decodeJson(AbortRequestSchema, text), ({ reason }) => {
      this.abortTexts.push(text);
      if (!this.reports.has(assignment)) this.departures.set(assignment, reason);
      return json({ kind: "left" });
    });
  }

  #withBody<T>(decoded: Result<T, Malformed>, then: (value: T) => HttpAnswer): HttpAnswer {
    return decoded.ok ? then(decoded.value) : refusal("malformed", { path: decoded.error.path });
  }
}

export function json(value: Json): HttpAnswer {
  return answer(200, utf8FromText(JSON.stringify(value)));
}

/** A refusal in the protocol's form. */
export function refusal(code: ErrorCode, more: { readonly path?: string; readonly retryAfterMs?: number } = {}): HttpAnswer {
  const { status, retry, text } = errorCodes[code];
  return answer(status, utf8FromText(JSON.stringify({ error: { code, retry, message: text, ...more } })));
}

/** An answer whose body comes in chunks of 1000 bytes. */
export function answer(status: number, body: Uint8Array, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, header: (name) => headers[name], body: chunks(body) };
}

async function* chunks(body: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < body.length; at += 1000) {
    await Promise.resolve();
    yield body.subarray(at, at + 1000);
  }
}

function textOf(request: HttpRequest): string {
  const text = textFromUtf8(request.body ?? new Uint8Array());
  return text.ok && request.headers["content-type"] === contentTypes.json ? text.value : "";
}

function signatureOf(key: KeyObject, bytes: Uint8Array): string {
  return base64urlFromBytes(sign(null, bytes, key));
}

function publicHalf({ publicKey }: { readonly publicKey: KeyObject }): string {
  const { x } = publicKey.export({ format: "jwk" });
  if (x === undefined || !bytesFromBase64url(x).ok) throw new Error("an Ed25519 key has its public half");
  return x;
}
