import { AssertionError, durationMs, instantMs, ok, type Clock, type SeededRandom } from "@tutti/base";
import { createDevice, defaultPolicy, type Device, type DeviceCrypto, type DevicePolicy, type Fetch, type HttpAnswer, type HttpRequest, type LedgerEntry, type LocalTrainer, type Platform } from "@tutti/device";
import { processLock, settableConditions, type SettableConditions } from "@tutti/device/node";
import { jsEngine, type BatchSource } from "@tutti/engine";
import { isAssignmentId, type Eligibility, type PopulationKeys } from "@tutti/protocol";
import { DeviceDisk, type Backup } from "./device-disk.ts";
import { worldCrypto } from "./device-keys.ts";
import { DeviceWitness } from "./device-witness.ts";
import { Life } from "./life.ts";
import { coordinatorUrl, type Network } from "./network.ts";
import { seededBytes } from "./seeded-bytes.ts";
import type { DeviceSwarm } from "./swarm.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Witness } from "./witness.ts";
import { worldCollection, worldPopulation } from "./world-task.ts";
import type { Wrappers } from "./wrappers.ts";
import type { WriteFate } from "./write-queue.ts";

/** The specification's delays, a tenth as long: a world's rounds last a minute. */
const policy: DevicePolicy = { ...defaultPolicy, allowPlain: true, delays: { ...defaultPolicy.delays, transientMs: 60_000, permanentMs: 600_000 } };
const plugged = { idle: true, charging: true, unmetered: true, consent: true };

export type DeviceOptions = {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly swarm: DeviceSwarm;
  readonly network: Network;
  readonly trace: Trace;
  readonly witness: Witness;
  readonly wrappers: Wrappers;
  readonly keys: PopulationKeys;
  readonly cohort: Eligibility["cohort"];
  readonly examples: BatchSource;
};

/** One device: the real SDK on simulated surroundings, and all that its owner and the world do to it. */
export class DeviceActor {
  readonly #options: DeviceOptions;
  readonly #random: SeededRandom;
  readonly #disk = new DeviceDisk();
  readonly #crypto: DeviceCrypto;
  readonly #witness: DeviceWitness;
  readonly #fetch: Fetch;
  readonly #conditions: SettableConditions = settableConditions(plugged);
  #clockOffsetMs: number;
  #life: Life | undefined;
  #lifeCount = 0;
  #backup: Backup | undefined;
  #hasLeft = false;
  /** Nothing happens to it any more. */
  isCalm = false;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#random = options.random;
    this.#crypto = worldCrypto(seededBytes(options.random.split("keys")));
    this.#witness = new DeviceWitness(policy.delays, (fault) => options.witness.broken(fault === null ? null : `${options.name} ${fault}`));
    this.#fetch = options.network.fetchOf({ name: options.name, intent: "honest" });
    this.#clockOffsetMs = (options.random.uniform() - 0.5) * 2 * options.swarm.clockOffsetMsMax;
  }

  /** Unpacks it: the app adds its examples, and it runs from `delayMs` on. */
  async unpack(delayMs: number): Promise<void> {
    await this.#atRest().examples.add(worldCollection.collection, worldCollection.schemaVersion, this.#options.examples);
    this.#options.time.after(delayMs, () => this.#start());
  }

  /** What its owner can read, straight from its memory. */
  ledger(): Promise<readonly LedgerEntry[]> {
    return this.#atRest().ledger();
  }

  get name(): string {
    return this.#options.name;
  }

  get isGone(): boolean {
    return this.#hasLeft;
  }

  /** True once every participation has an end; then its ledger is judged. */
  async rests(): Promise<boolean> {
    const ledger = await this.ledger();
    if (ledger.some(({ end }) => end === null)) return false;
    this.#witness.rests(ledger);
    return true;
  }

  /** Power off. It starts again after a while, unless it leaves for ever. */
  crash(reason: string): void {
    if (this.#life?.isAlive !== true) return;
    this.#say(`CRASH ${reason}`);
    this.#life.end();
    void this.ledger().then((ledger) => this.#witness.crashed(ledger));
    if (!this.#hasLeft) this.#options.time.after(1 + this.#random.uniform() * 60_000, () => this.#start());
  }

  leave(): void {
    this.#hasLeft = true;
    this.crash("and leaves for ever");
  }

  /** The lid is closed: nothing arrives until it is opened. */
  freeze(): void {
    const { time } = this.#options;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const ms = this.#random.uniform() * 120_000;
    this.#say(`freezes for ${Math.round(ms)} ms`);
    this.#witness.froze();
    this.#life?.freeze(promise);
    time.after(ms, () => {
      this.#witness.froze();
      resolve(undefined);
    });
  }

  /** Takes a backup, or, where there is one, starts again with it: an old state, which knows nothing of what came since. */
  async backUpOrRestore(): Promise<void> {
    if (this.#backup === undefined) {
      this.#backup = this.#disk.backup();
      this.#say("is backed up");
      return;
    }
    if (this.#life?.isAlive !== true) return;
    this.crash("and is restored");
    this.#disk.restore(this.#backup);
    this.#backup = undefined;
    this.#witness.restored(await this.ledger());
  }

  jumpClock(): void {
    this.#clockOffsetMs += (this.#random.uniform() - 0.5) * 2 * 86_400_000;
    this.#witness.lostTime();
    this.#say(`clock is off by ${Math.round(this.#clockOffsetMs)} ms`);
  }

  /** It is unplugged, or its owner takes the consent back, and later gives it again. */
  loseConditions(): void {
    const lost = this.#random.below(2) === 0 ? { charging: false } : { consent: false };
    this.#say(`lost ${Object.keys(lost).join()}`);
    this.#conditions.set(lost);
    this.#options.time.after(this.#random.uniform() * 60_000, () => this.#conditions.set(plugged));
  }

  #start(): void {
    if (this.#hasLeft) return;
    const { name, witness, wrappers } = this.#options;
    const lifeNumber = this.#lifeCount++;
    const life = new Life((call) => witness.broken(`${name} is dead and asks for ${call}`));
    this.#life = life;
    this.#witness.started(this.#now());
    this.#say(`starts, life ${lifeNumber}`);
    const device = this.#device(wrappers.platform(this.#platform(life, lifeNumber), { name, lifeNumber }));
    const never = new AbortController().signal;
    device.run(never, (outcome) => {
      this.#say(`ended: ${JSON.stringify(outcome.ending)}, again at ${outcome.retryAtMs}`);
      this.#witness.told(outcome, this.#now());
    }).catch((cause: unknown) => witness.broken(`${name} stops: ${cause instanceof AssertionError ? "a promise of its own: " : ""}${String(cause)}`));
  }

  /** The device without a life: for what the app and its owner do. */
  #atRest(): Device {
    return this.#device({ ...this.#platform(new Life(() => undefined), 0), store: this.#disk.durable });
  }

  #device(platform: Platform): Device {
    const { keys, cohort } = this.#options;
    return createDevice({ population: worldPopulation, coordinatorUrl, keys, platform, policy, cohort });
  }

  #platform(life: Life, lifeNumber: number): Platform {
    const { time, swarm } = this.#options;
    const clock: Clock = { now: () => instantMs(this.#now()), sleep: (duration, signal) => life.during("a sleep", () => time.sleep(duration, signal)) };
    const random = this.#random.split(`life ${lifeNumber}`);
    const mount = { time, random: random.split("disk"), latencyMs: swarm.storeLatencyMs, fateOf: () => this.#fate(), die: (reason: string) => this.crash(reason) };
    return {
      fetch: (request) => life.during("a request", () => this.#ask(request)),
      crypto: this.#crypto,
      random: seededBytes(random.split("secure")),
      store: this.#disk.mount(life, mount),
      lock: processLock(),
      clock,
      conditions: this.#conditions,
      trainer: trainerOf(clock, swarm.minibatchMs),
    };
  }

  async #ask(request: HttpRequest): Promise<HttpAnswer> {
    const path = request.url.slice(coordinatorUrl.length);
    const name = /^\/v1\/reports\/([^/:]+)$/.exec(path)?.[1] ?? "";
    if (request.method === "PUT" && request.body !== null && isAssignmentId(name)) this.#witness.reportLeaves(name, Uint8Array.from(request.body), await this.ledger());
    const isCheckIn = path.endsWith("/check-ins");
    this.#witness.asks(this.#now());
    const fate = this.#fate();
    if (fate === "crash-before") {
      this.crash(`before ${request.method} ${path}`);
      return Promise.withResolvers<never>().promise;
    }
    const answer = await this.#fetch(request);
    if (fate === "crash-after") this.crash(`after ${request.method} ${path}`);
    return isCheckIn && answer.status === 200 ? { ...answer, body: this.#overheard(answer.body) } : answer;
  }

  /** The body as it is, listened to. */
  async *#overheard(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) {
      chunks.push(chunk);
      yield chunk;
    }
    this.#witness.checkedIn(Buffer.concat(chunks).toString(), this.#now());
  }

  #fate(): WriteFate {
    const rate = this.#options.swarm.crashesPerWrite;
    const draw = this.#random.uniform();
    if (this.isCalm || draw >= rate) return "done";
    return draw < rate / 2 ? "crash-before" : "crash-after";
  }

  #now(): number {
    return this.#options.time.now() + this.#clockOffsetMs;
  }

  #say(event: string): void {
    this.#options.trace.add(this.#options.name, event);
  }
}

/** The reference engine; between two minibatches virtual time passes. */
function trainerOf(clock: Clock, minibatchMs: number): LocalTrainer {
  const engine = jsEngine({ pause: () => clock.sleep(durationMs(minibatchMs)), now: () => clock.now() });
  const use = async <T>(model: Parameters<typeof engine.compile>[0], work: (trainer: Awaited<ReturnType<typeof engine.compile>>) => Promise<T>) => {
    const trainer = await engine.compile(model, { maxBatch: 4, numerics: "deterministic" });
    const result = await work(trainer);
    trainer.dispose();
    return ok(result);
  };
  return {
    engines: [engine.id],
    memoryBytesMax: 2 ** 20,
    train: ({ model, job, examples }, signal) => use(model, (trainer) => trainer.train(job, examples, signal)),
    evaluate: ({ model, parameters, examples }) => use(model, (trainer) => trainer.evaluate(parameters, examples)),
  };
}
