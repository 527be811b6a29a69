import { assert, SeededRandom, type Bytes, type Sha256Hex } from "@tutti/base";
import { Coordinator, createAggregator, createHttpServer, memoryCheckpointFiles, memoryStore, type CoordinatorEvent } from "@tutti/coordinator";
import { populationName, type Eligibility, type TaskDocument } from "@tutti/protocol";
import { DataSetError } from "../data-set-error.ts";
import type { Population } from "../population.ts";
import { seededBytes } from "../world/seeded-bytes.ts";
import { VirtualTime } from "../world/virtual-time.ts";
import { directFetch } from "./direct-fetch.ts";
import { DueResults } from "./due-results.ts";
import { abandonedInARowMax, blobsKeptMax, momentsMax } from "./limits.ts";
import { recentBlobs } from "./recent-blobs.ts";
import { SimulatedDevice } from "./simulated-device.ts";
import { TrainingPool } from "./training-pool.ts";
import { Waking } from "./waking.ts";
import { WireTally, type MessageBytes } from "./wire-tally.ts";

export type SimulationOptions = {
  readonly document: TaskDocument;
  /** The safetensors file that the document's start names. */
  readonly startFile?: Bytes;
  readonly population: Population;
  readonly seed: number;
  readonly workerCount: number;
  readonly onEvent: (event: CoordinatorEvent) => void;
  readonly interrupted: AbortSignal;
};

export type SimulationResult = {
  /** The rule that stopped the task; null where it was interrupted. */
  readonly stoppedBy: string | null;
  readonly modelVersion: number;
  readonly modelHash: Sha256Hex;
  /** The newest model, a safetensors file. */
  readonly model: Bytes;
  /** How often a device took part or tried to. */
  readonly participationCount: number;
  /** What they and the coordinator said to each other. */
  readonly wire: readonly MessageBytes[];
};

const population = populationName("simulation");
const startMs = Date.UTC(2027, 0, 1);

/**
 * Runs a task on a population at full speed: the real coordinator and real devices on virtual time, with
 * nothing between them, and training in `workerCount` threads. The result depends on the document, the
 * population and the seed, and on nothing else: not on the number of threads, nor on the machine.
 * @throws DataSetError where the population cannot fill the task's rounds.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const pool = new TrainingPool(options.workerCount);
  const simulation = new Simulation(options, pool);
  try {
    return await simulation.run();
  } finally {
    await pool.close();
  }
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #pool: TrainingPool;
  readonly #due = new DueResults();
  readonly #blobs = recentBlobs(blobsKeptMax);
  readonly #store = memoryStore();
  readonly #wire = new WireTally();
  #waking: Waking | undefined;
  #stoppedBy: string | null = null;
  #abandonedInARow = 0;
  #fault: Error | undefined;

  constructor(options: SimulationOptions, pool: TrainingPool) {
    this.#options = options;
    this.#random = SeededRandom.from(options.seed).split("simulation");
    this.#time = new VirtualTime(startMs, this.#random.split("order"), momentsMax);
    this.#pool = pool;
  }

  async run(): Promise<SimulationResult> {
    const coordinator = await this.#coordinator();
    const app = createHttpServer(coordinator, { operatorToken: "nobody-asks" });
    try {
      await app.ready();
      const { startFile, document } = this.#options;
      const run = await coordinator.addPopulation(population);
      this.#waking = this.#wakingOf(directFetch(app, this.#wire), run.keys);
      if (startFile !== undefined) await this.#blobs.put(startFile);
      coordinator.run();
      // A simulation has no crash to survive; the sums are exact in either mode, so the model is the same.
      const added = await coordinator.addTask(run, { ...document, durability: "memory" });
      assert(!("code" in added), `the task's document was checked: ${JSON.stringify(added)}`);
      await this.#passTime();
      return await this.#result();
    } finally {
      await coordinator.close();
      await app.close();
    }
  }

  #coordinator(): Promise<Coordinator> {
    const clock = this.#time;
    const random = seededBytes(this.#random.split("coordinator"));
    const aggregator = createAggregator({ clock, random, files: memoryCheckpointFiles() });
    return Coordinator.open({ store: this.#store, blobs: this.#blobs, aggregator, clock, random, onEvent: (event) => this.#told(event) });
  }

  #wakingOf(fetch: ReturnType<typeof directFetch>, keys: ConstructorParameters<typeof SimulatedDevice>[1]["keys"]): Waking {
    const { people, collection, schemaVersion } = this.#options.population;
    const random = this.#random.split("devices");
    const parts = { time: this.#time, pool: this.#pool, due: this.#due, fetch, keys, population, collection, schemaVersion };
    const devicesOf = (cohort: Eligibility["cohort"]): readonly SimulatedDevice[] => people
      .flatMap((person, i) => (person.cohort === cohort ? [new SimulatedDevice(person, { ...parts, random: random.split(i) })] : []));
    return new Waking({
      time: this.#time, random: this.#random.split("waking"), interrupted: this.#options.interrupted,
      devices: { "training": devicesOf("training"), "held-out": devicesOf("held-out") },
      onFault: (cause) => this.#fail(cause),
    });
  }

  #told(event: CoordinatorEvent): void {
    this.#options.onEvent(event);
    if (event.kind === "round-opened") this.#waking?.roundOpened(event);
    if (event.kind === "task-stopped") this.#stoppedBy = event.stoppedBy;
    if (event.kind === "round-committed") this.#abandonedInARow = 0;
    if (event.kind === "world-failed" || event.kind === "request-failed") this.#fail(event.cause);
    if (event.kind !== "round-abandoned" || ++this.#abandonedInARow < abandonedInARowMax) return;
    const { assigned, reported } = event.counts;
    const trouble = this.#waking?.lastTrouble ?? "";
    this.#fail(new DataSetError(`${abandonedInARowMax} rounds in a row were abandoned (${event.reason}): of ${assigned} devices in the last one ${reported} reported; the last that did not: ${trouble}. What the task sees of the data: tutti data inspect PATH --task TASK`));
  }

  /** The first trouble ends the simulation. */
  #fail(cause: unknown): void {
    this.#fault ??= cause instanceof Error ? cause : new Error(String(cause));
  }

  /** Until the task stops, its person ends it, or something breaks. */
  async #passTime(): Promise<void> {
    const { interrupted } = this.#options;
    const { promise: ended, resolve } = Promise.withResolvers<undefined>();
    interrupted.addEventListener("abort", () => resolve(undefined), { once: true });
    const fault = (): Error | undefined => this.#fault ?? this.#pool.broken;
    const isOver = (): boolean => this.#stoppedBy !== null || fault() !== undefined || interrupted.aborted;
    const isReached = await this.#time.pass(Number.MAX_SAFE_INTEGER, isOver, () => this.#due.settle(ended));
    const cause = fault();
    if (cause !== undefined) throw cause;
    assert(isReached, "time passes until the task stops");
  }

  async #result(): Promise<SimulationResult> {
    const { version, hash } = await this.#store.latestModel({ population, task: this.#options.document.name });
    return {
      stoppedBy: this.#stoppedBy, modelVersion: version, modelHash: hash,
      model: Uint8Array.from(await this.#blobs.read(hash)),
      participationCount: this.#waking?.participationCount ?? 0,
      wire: this.#wire.sums,
    };
  }
}
