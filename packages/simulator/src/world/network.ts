import { concatBytes, durationMs, type SeededRandom } from "@tutti/base";
import type { Fetch, HttpAnswer, HttpRequest } from "@tutti/device";
import { createHash } from "node:crypto";

import type { NetworkSwarm } from "./swarm.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Intent, Witness } from "./witness.ts";

/** A request as the server receives it. */
export type WireRequest = {
  readonly method: HttpRequest["method"];
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** The body as it arrives, piece by piece; throws where the connection breaks. */
  readonly pieces: (body: Uint8Array) => AsyncIterable<Uint8Array>;
};

export type WireAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array };
export type Exchange = (request: WireRequest) => Promise<WireAnswer>;

export const coordinatorUrl = "https://coordinator.world";

export type NetworkOptions = {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly swarm: NetworkSwarm;
  readonly exchange: Exchange;
  readonly trace: Trace;
  readonly witness: Witness;
};

/** Who asks, and whether the server must refuse. */
export type Sender = { readonly name: string; readonly intent: Intent };

/** Between devices and coordinator: late, lost, doubled, overtaken and broken, as the swarm says. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #random: SeededRandom;
  /** Nothing is lost, doubled or broken any more. */
  isCalm = false;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  /** The way of one sender to the coordinator. */
  fetchOf(sender: Sender): Fetch {
    return (request) => new Promise((resolve, reject) => {
      const leave = (): void => reject(new Error("the request was aborted"));
      if (request.signal.aborted) {
        leave();
        return;
      }
      request.signal.addEventListener("abort", leave, { once: true });
      this.#travel(sender, request).then(resolve, reject).finally(() => request.signal.removeEventListener("abort", leave));
    });
  }

  async #travel(sender: Sender, request: HttpRequest): Promise<HttpAnswer> {
    const { swarm } = this.#options;
    await this.#delay();
    // What was on its way when its sender gave up may arrive all the same.
    if (this.#isHit(swarm.requestLoss) || (request.signal.aborted && this.#random.below(2) === 0)) throw await this.#broken(sender, request, "request lost");
    if (this.#isHit(swarm.doubling)) void this.#again(sender, request);
    const answer = await this.#deliver(sender, request);
    if (this.#isHit(swarm.answerLoss)) throw await this.#broken(sender, request, "answer lost");
    await this.#delay();
    return { status: answer.status, header: (name) => answer.headers[name], body: this.#bodyOf(answer.body) };
  }

  /** A copy of the request that arrives later; nobody waits for its answer. */
  async #again(sender: Sender, request: HttpRequest): Promise<void> {
    const { time, swarm } = this.#options;
    await time.sleep(durationMs(this.#random.uniform() * swarm.doubleAfterMsMax));
    await this.#deliver({ ...sender, name: `${sender.name}'` }, request).catch(() => undefined);
  }

  async #deliver(sender: Sender, request: HttpRequest): Promise<WireAnswer> {
    const { exchange, witness, trace, swarm } = this.#options;
    const path = request.url.startsWith(coordinatorUrl) ? request.url.slice(coordinatorUrl.length) : request.url;
    const cut = request.body !== null && request.method === "PUT" && this.#isHit(swarm.bodyBreak) ? this.#random.below(request.body.length) : null;
    const wire: WireRequest = { method: request.method, path, headers: request.headers, body: request.body, pieces: (body) => this.#pieces(body, cut) };
    trace.add(sender.name, `${request.method} ${path} ${digestOf(request.body)}${cut === null ? "" : ` cut at ${cut}`}`);
    const told = witness.requestArrives(sender.intent, wire, cut === null);
    try {
      const answer = await exchange(wire);
      trace.add(sender.name, `${answer.status} to ${request.method} ${path} ${digestOf(answer.body)}`);
      told(answer);
      return answer;
    } catch (cause) {
      trace.add(sender.name, `${request.method} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`);
      throw cause;
    }
  }

  async *#pieces(body: Uint8Array, cut: number | null): AsyncIterable<Uint8Array> {
    const { time, swarm } = this.#options;
    const end = cut ?? body.length;
    const middle = this.#random.below(end + 1);
    if (middle > 0) yield body.subarray(0, middle);
    if (middle < end) {
      if (this.#isHit(swarm.slowness)) await time.sleep(durationMs(this.#random.uniform() * swarm.slowMsMax));
      yield body.subarray(middle, end);
    }
    if (cut !== null) throw Object.assign(new Error("the connection broke"), { code: "ECONNRESET" });
  }

  async *#bodyOf(body: Uint8Array): AsyncIterable<Uint8Array> {
    if (body.length > 0 && this.#isHit(this.#options.swarm.answerBreak)) {
      yield concatBytes(body.subarray(0, this.#random.below(body.length)));
      // Half of the broken connections look like the end of the answer.
      if (this.#random.below(2) === 0) return;
      throw new Error("the connection broke within the answer");
    }
    await Promise.resolve();
    yield concatBytes(body);
  }

  async #broken(sender: Sender, request: HttpRequest, reason: string): Promise<Error> {
    const { time, trace, swarm } = this.#options;
    trace.add(sender.name, `${reason}: ${request.method} ${request.url.slice(coordinatorUrl.length)}`);
    await time.sleep(durationMs(this.#random.uniform() * swarm.slowMsMax));
    return new Error("the connection broke");
  }

  async #delay(): Promise<void> {
    const { time, swarm } = this.#options;
    const slowMs = this.#isHit(swarm.slowness) ? this.#random.uniform() * swarm.slowMsMax : 0;
    await time.sleep(durationMs(1 + this.#random.uniform() * swarm.latencyMs + slowMs));
  }

  #isHit(rate: number): boolean {
    return !this.isCalm && this.#random.uniform() < rate;
  }
}

function digestOf(bytes: Uint8Array | null): string {
  return bytes === null ? "-" : `${bytes.length}B ${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
}
