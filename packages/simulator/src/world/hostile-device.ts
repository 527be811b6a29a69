import { durationMs, type SeededRandom } from "@tutti/base";
import type { HttpRequest } from "@tutti/device";
import {
  AssignmentAnswerSchema, bytesFromFloat32, canonicalJson, contentTypes, decodeJson, encodeSafetensors, partsOfAssignment, partsOfRound, reportFactsKey, reportTensorName,
  roundId, routes, assignmentId, type Assigned, type AssignmentId, type Json, type TaskName,
} from "@tutti/protocol";
import { coordinatorUrl, type Network } from "./network.ts";
import { seededBytes } from "./seeded-bytes.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Intent } from "./witness.ts";
import { worldPopulation } from "./world-task.ts";

export type HostileOptions = {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly tasks: readonly TaskName[];
};

const parameterCount = 6;

/** Speaks the protocol and means harm: takes places and sends what no server may count. */
export class HostileDevice {
  readonly #options: HostileOptions;
  readonly #random: SeededRandom;
  readonly #places: Assigned[] = [];
  /** It has given up. */
  isCalm = false;

  constructor(options: HostileOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  async run(): Promise<void> {
    while (!this.isCalm) {
      await this.#options.time.sleep(durationMs(this.#random.uniform() * 20_000));
      try {
        await this.#act();
      } catch {
        // The connection broke: it does not mind.
      }
    }
  }

  async #act(): Promise<void> {
    const place = this.#pick(this.#places);
    if (place === undefined || this.#random.below(3) === 0) return this.#takePlace();
    const other = this.#pick(this.#places) ?? place;
    const right = this.#report(place.assignment, 1 + this.#random.below(20));
    const acts: readonly (() => Promise<unknown>)[] = [
      () => this.#put(place, this.#bytes(this.#random.below(400)), "forbidden"),
      () => this.#put(place, this.#bytes(right.length), "forbidden"),
      () => this.#put(place, right.subarray(0, right.length - 4), "forbidden"),
      () => this.#put(place, this.#reportWith(place.assignment, Number.NaN), "forbidden"),
      () => this.#put(place, this.#reportWith(place.assignment, 3e38), "forbidden"),
      // Another place's capability, or none at all.
      () => this.#put({ ...place, token: other.token }, right, other.assignment === place.assignment ? "any" : "forbidden"),
      () => this.#put({ ...place, token: place.token.slice(0, -1) }, right, "forbidden"),
      () => this.#putElsewhere(place),
      // A report that is right, and then another one that would be: the witness judges the receipts.
      () => this.#put(place, right, "any"),
      () => this.#put(place, this.#report(place.assignment, 21), "any"),
      () => this.#post(place.abortUrl, { reason: "not-idle", phases: "cd" }, place.token, "any"),
      () => this.#post(place.abortUrl, { reason: "shutting-down", phases: "cd" }, place.token, "any"),
      () => this.#post(`${place.reportUrl}:begin`, { reportBytes: right.length, phases: "cdtTu" }, place.token, "any"),
      () => this.#post(routes.checkIns(worldPopulation), { protocol: -1 }, null, "forbidden"),
    ];
    await this.#pick(acts)?.();
  }

  async #takePlace(): Promise<void> {
    const task = this.#pick(this.#options.tasks);
    if (task === undefined) return;
    const requestId = Buffer.from(this.#bytes(16)).toString("base64url");
    const text = await this.#post(routes.assignments(), { population: worldPopulation, task, protocol: 1, requestId }, null, "any");
    const answer = decodeJson(AssignmentAnswerSchema, text);
    if (answer.ok && answer.value.kind === "assigned") this.#places.push(answer.value);
  }

  /** Its own capability at the address of another round, or of a slot that it does not have. */
  async #putElsewhere(place: Assigned): Promise<void> {
    const { round, slot } = partsOfAssignment(place.assignment);
    const { population, task, number } = partsOfRound(round);
    const elsewhere = this.#random.below(2) === 0 ? assignmentId(roundId(population, task, number + 1), slot) : assignmentId(round, slot + 1);
    await this.#put({ ...place, assignment: elsewhere, reportUrl: routes.report(elsewhere) }, this.#report(elsewhere, 3), "forbidden");
  }

  #put({ reportUrl, token }: Assigned, body: Uint8Array, intent: Intent): Promise<string> {
    return this.#ask({ method: "PUT", path: reportUrl, body, contentType: contentTypes.safetensors, token }, intent);
  }

  #post(path: string, body: Json, token: string | null, intent: Intent): Promise<string> {
    return this.#ask({ method: "POST", path, body: Buffer.from(canonicalJson(body)), contentType: contentTypes.json, token }, intent);
  }

  async #ask({ method, path, body, contentType, token }: { readonly method: HttpRequest["method"]; readonly path: string; readonly body: Uint8Array; readonly contentType: string; readonly token: string | null }, intent: Intent): Promise<string> {
    const { name, network } = this.#options;
    const headers: Record<string, string> = { "content-type": contentType, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
    const answer = await network.fetchOf({ name, intent })({ method, url: coordinatorUrl + path, headers, body, signal: new AbortController().signal });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  #report(assignment: AssignmentId, examples: number): Uint8Array {
    return reportBytes(assignment, examples, Float32Array.from({ length: parameterCount }, () => 0.1 * (this.#random.uniform() - 0.5)));
  }

  #reportWith(assignment: AssignmentId, value: number): Uint8Array {
    return reportBytes(assignment, 3, new Float32Array(parameterCount).fill(value, this.#random.below(parameterCount)));
  }

  #bytes(count: number): Uint8Array {
    return seededBytes(this.#random).bytes(count);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[from.length === 0 ? 0 : this.#random.below(from.length)];
  }
}

function reportBytes(assignment: AssignmentId, examples: number, delta: Float32Array): Uint8Array {
  const facts = { assignment, examples, metrics: { count: examples, lossSum: examples / 2, correct: 0, absoluteErrorSum: 0 }, phases: "cdtTu" };
  return encodeSafetensors([{ name: reportTensorName, type: "F32", shape: [delta.length], bytes: bytesFromFloat32(delta) }], { [reportFactsKey]: canonicalJson(facts) });
}
