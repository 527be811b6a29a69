import type { HttpAnswer, HttpRequest, Platform } from "@tutti/device";
import { AssignmentAnswerSchema, decodeJson, partsOfAssignment, partsOfRound, routes } from "@tutti/protocol";
import type { VanishingStep } from "./vanishing-schedule.ts";

/** A platform that can be taken away from its device, as when a battery is pulled. */
export type VanishingPlatform = {
  readonly platform: Platform;
  /** Resolves when the device has vanished, with where it stood. */
  readonly vanished: Promise<VanishedAt>;
};

type VanishedAt = { readonly round: number; readonly step: VanishingStep };

type Place = { readonly round: number; readonly slot: number };

/**
 * `platform` with an end: from the step that `stepOf` names for the place that the device gets, nothing it asks for is
 * ever answered, its connections break, and it cannot say a word (no abort, no report). What its store holds
 * is durable and stays, for the device that is started again on it.
 */
export function vanishingPlatform(platform: Platform, stepOf: (place: Place) => VanishingStep | undefined): VanishingPlatform {
  const life = new Life(stepOf);
  const { fetch, trainer, clock, store } = platform;
  return {
    vanished: life.vanished,
    platform: {
      ...platform,
      fetch: (request) => life.fetch(fetch, request),
      clock: { now: () => clock.now(), sleep: (duration, signal) => life.whileAlive(clock.sleep(duration, signal)) },
      trainer: {
        ...trainer,
        train: async (work, signal) => {
          const training = trainer.train(work, life.until(signal));
          life.reach("training");
          const result = await life.whileAlive(training);
          life.reach("trained");
          return life.whileAlive(Promise.resolve(result));
        },
        evaluate: (work, signal) => life.whileAlive(trainer.evaluate(work, life.until(signal))),
      },
      store: {
        record: (key) => life.whileAlive(store.record(key)),
        recordsUnder: (prefix) => life.whileAlive(store.recordsUnder(prefix)),
        bytes: (key) => life.whileAlive(store.bytes(key)),
        write: (writes) => life.whileAlive(store.write(writes)),
      },
    },
  };
}

/** One device's life, until it reaches the step at which it vanishes. */
class Life {
  readonly #stepOf: (place: Place) => VanishingStep | undefined;
  readonly #end = new AbortController();
  readonly #vanished = Promise.withResolvers<VanishedAt>();
  #doom: VanishedAt | undefined;

  constructor(stepOf: (place: Place) => VanishingStep | undefined) {
    this.#stepOf = stepOf;
  }

  get vanished(): Promise<VanishedAt> {
    return this.#vanished.promise;
  }

  /** The device is at `step`: if this is where it vanishes, it does so now. */
  reach(step: VanishingStep): void {
    if (this.#doom?.step !== step || this.#end.signal.aborted) return;
    this.#end.abort(new Error("the device vanished"));
    this.#vanished.resolve(this.#doom);
  }

  /** `signal`, or the end of this life. */
  until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#end.signal]);
  }

  /** What `promise` gives while the device lives; after that, nothing ever. */
  async whileAlive<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await promise;
      if (!this.#end.signal.aborted) return value;
    } catch (cause) {
      if (!this.#end.signal.aborted) throw cause;
    }
    return never();
  }

  async fetch(fetch: Platform["fetch"], request: HttpRequest): Promise<HttpAnswer> {
    if (this.#end.signal.aborted) return never();
    const exchange = fetch({ ...request, signal: this.until(request.signal) });
    if (request.method === "GET") this.reach("downloading");
    if (request.method === "PUT") setImmediate(() => this.reach("uploading"));
    const answer = await this.whileAlive(exchange);
    return { ...answer, header: (name) => answer.header(name), body: this.#bodyOf(request, answer) };
  }

  /** Reads along in the answer that gives the device its place. */
  async *#bodyOf(request: HttpRequest, answer: HttpAnswer): AsyncIterable<Uint8Array> {
    const isPlace = new URL(request.url).pathname === routes.assignments();
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) {
      if (isPlace) chunks.push(chunk);
      if (this.#end.signal.aborted) await never();
      yield chunk;
    }
    if (isPlace) this.#takePlace(Buffer.concat(chunks).toString("utf8"));
    if (this.#end.signal.aborted) await never();
  }

  #takePlace(text: string): void {
    const answer = decodeJson(AssignmentAnswerSchema, text);
    if (!answer.ok || answer.value.kind !== "assigned") return;
    const { round, slot } = partsOfAssignment(answer.value.assignment);
    const { number } = partsOfRound(round);
    const step = this.#stepOf({ round: number, slot });
    this.#doom = step === undefined ? undefined : { round: number, step };
    this.reach("assigned");
  }
}

function never(): Promise<never> {
  return Promise.withResolvers<never>().promise;
}
