import { assert, durationMs, type Clock, type SecureRandom, type SeededRandom } from "@tutti/base";
import { Coordinator, createAggregator, createHttpServer, type CoordinatorEvent } from "@tutti/coordinator";
import { Readable } from "node:stream";
import type { CoordinatorDisk } from "./coordinator-disk.ts";
import { Life } from "./life.ts";
import type { Exchange, WireAnswer, WireRequest } from "./network.ts";
import { seededBytes } from "./seeded-bytes.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Witness } from "./witness.ts";
import type { Wrappers } from "./wrappers.ts";

export const operatorToken = "the-operator-of-the-world";

export type HostOptions = {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly disk: CoordinatorDisk;
  readonly trace: Trace;
  readonly witness: Witness;
  readonly wrappers: Wrappers;
  /** From a crash to the next start. */
  readonly downMsMax: number;
};

/** The machine that runs the coordinator: starts the real one, kills it, stops it, starts it again. */
export class CoordinatorHost {
  readonly #options: HostOptions;
  #life: Life | undefined;
  #exchange: Exchange | undefined;
  #coordinator: Coordinator | undefined;
  #lifeCount = 0;
  #busyCount = 0;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Whether it listens. */
  get isUp(): boolean {
    return this.#exchange !== undefined;
  }

  /** Opens the coordinator on the disk; a start that fails is tried again, as a service manager would. */
  async start(): Promise<void> {
    const { trace, witness, time } = this.#options;
    const lifeNumber = this.#lifeCount++;
    const life = new Life((call) => witness.broken(`a dead coordinator asks for ${call}`));
    this.#life = life;
    trace.add("coordinator", `starts, life ${lifeNumber}`);
    try {
      const coordinator = await Coordinator.open(this.#ports(life, lifeNumber));
      if (!life.isAlive) return;
      const app = createHttpServer(coordinator, { operatorToken });
      await app.ready();
      coordinator.run();
      this.#coordinator = coordinator;
      this.#exchange = (request) => life.during("an answer", () => exchangeWith(app, life, request));
      trace.add("coordinator", "listens");
    } catch (cause) {
      trace.add("coordinator", `does not start: ${String(cause)}`);
      witness.coordinatorFailed(cause);
      life.end();
      time.after(1000, () => void this.start());
    }
  }

  /** One request to whoever listens; rejects when nobody does, or when the coordinator dies under it. */
  async exchange(request: WireRequest): Promise<WireAnswer> {
    const { wrappers, disk } = this.#options;
    const [exchange, life] = [this.#exchange, this.#life];
    if (exchange === undefined || life === undefined) throw new Error("the connection was refused");
    const { promise: died, reject } = Promise.withResolvers<never>();
    const forget = life.onEnd(() => reject(new Error("the connection was reset")));
    this.#busyCount++;
    try {
      return await Promise.race([wrappers.exchange(exchange, disk.store)(request), died]);
    } finally {
      this.#busyCount--;
      forget();
    }
  }

  /** Power off, now. It starts again after a while. */
  crash(reason: string): void {
    const { trace, time, random, downMsMax, witness } = this.#options;
    if (this.#life?.isAlive !== true) return;
    trace.add("coordinator", `CRASH ${reason}`);
    this.#exchange = undefined;
    this.#life.end();
    witness.coordinatorEnded();
    time.after(random.uniform() * downMsMax, () => void this.start());
  }

  /** The end that an operator asks for: nobody new is let in, who is in is answered, and then all is closed. */
  async stop(): Promise<void> {
    const { trace, time, random, downMsMax, witness } = this.#options;
    const [life, coordinator] = [this.#life, this.#coordinator];
    if (life === undefined || coordinator === undefined || this.#exchange === undefined) return;
    trace.add("coordinator", "stops");
    this.#exchange = undefined;
    while (this.#busyCount > 0) await time.sleep(durationMs(10));
    if (!life.isAlive) return;
    await life.during("close", () => coordinator.close());
    await life.during("close", () => coordinator.ports.store.close());
    trace.add("coordinator", "is closed");
    life.end();
    witness.coordinatorEnded();
    time.after(random.uniform() * downMsMax, () => void this.start());
  }

  #ports(life: Life, lifeNumber: number) {
    const { disk, wrappers, random: seeds, time } = this.#options;
    const mounted = disk.mount(life, (reason) => this.crash(reason));
    const clock = wrappers.clock(clockOf(time, life), time);
    const random: SecureRandom = seededBytes(seeds.split(`life ${lifeNumber}`));
    const aggregator = wrappers.aggregator(createAggregator({ clock, random, files: wrappers.files(mounted.files) }));
    const store = wrappers.store(mounted.store, lifeNumber);
    return { store, blobs: mounted.blobs, aggregator, clock, random, onEvent: (event: CoordinatorEvent) => this.#told(life, event) };
  }

  #told(life: Life, event: CoordinatorEvent): void {
    const { trace, witness } = this.#options;
    if (!life.isAlive) witness.broken(`a dead coordinator says ${event.kind}`);
    if (event.kind !== "round-progress") trace.add("coordinator", JSON.stringify(event));
    witness.coordinatorSaid(event);
  }
}

/** The world's time as a process sees it: sleeps of a process that ended never end. */
function clockOf(time: VirtualTime, life: Life): Clock {
  return { now: () => time.now(), sleep: (duration, signal) => life.during("a sleep", () => time.sleep(duration, signal)) };
}

/** Through the real router, without a socket. */
async function exchangeWith(app: ReturnType<typeof createHttpServer>, life: Life, { method, path, headers, body, pieces }: WireRequest): Promise<WireAnswer> {
  const payload = body === null ? {} : { payload: Readable.from(whileAlive(life, pieces(body)), { objectMode: false }) };
  const length: Record<string, string> = body === null ? {} : { "content-length": String(body.length) };
  const answer = await app.inject({ method, url: path, headers: { ...headers, ...length }, ...payload });
  assert(answer.statusCode >= 200, "a request gets one answer");
  const given: Record<string, string> = {};
  for (const name of ["content-type", "content-range", "etag", "retry-after"]) {
    const value = answer.headers[name];
    if (typeof value === "string") given[name] = value;
  }
  return { status: answer.statusCode, headers: given, body: Uint8Array.from(answer.rawPayload) };
}

/** Pieces of a body that no dead server reads. */
async function* whileAlive(life: Life, pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  for (;;) {
    const next = await life.during("a piece of a body", () => iterator.next());
    if (next.done === true) return;
    yield next.value;
  }
}
