import { concatBytes, durationMs, type SeededRandom } from "@tutti/base";
import {
  memoryBlobs, memoryCheckpointFiles, memoryStore, StoreFullError, type BlobStore, type CheckpointFiles, type CheckpointPlace, type Store,
} from "@tutti/coordinator";
import type { RoundId } from "@tutti/protocol";
import type { Life } from "./life.ts";
import type { CoordinatorSwarm } from "./swarm.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Witness } from "./witness.ts";
import { WriteQueue, type WriteFate } from "./write-queue.ts";

/** What one incarnation of the coordinator sees of the disk. */
export type MountedDisk = { readonly store: Store; readonly blobs: BlobStore; readonly files: CheckpointFiles };

export type DiskOptions = { readonly time: VirtualTime; readonly random: SeededRandom; readonly swarm: CoordinatorSwarm; readonly witness: Witness };

/** One checkpoint on its way: what a crash leaves of it is any prefix of its bytes over the file before it. */
type FileWrite = { readonly round: RoundId; readonly place: CheckpointPlace; readonly content: Uint8Array };

/**
 * The coordinator's disk: what is durable outlives the incarnations, each of which mounts it anew. A crash
 * keeps a prefix of the store's writes, any of the blobs, and tears checkpoint files.
 */
export class CoordinatorDisk {
  /** What is durable. The laws read it; only `mount` writes it. */
  readonly store: Store;
  readonly blobs: BlobStore = memoryBlobs();
  readonly #files: CheckpointFiles = memoryCheckpointFiles();
  readonly #options: DiskOptions;
  readonly #random: SeededRandom;
  /** Writes fail while it is true, and leave nothing. */
  isFull = false;
  /** Faults end with the world's faulty part. */
  isCalm = false;

  /** @param around what a planted fault puts around the durable store. */
  constructor(options: DiskOptions, around: (store: Store) => Store) {
    this.#options = options;
    this.#random = options.random;
    this.store = around(memoryStore());
  }

  /** The disk as one life sees it; `die` ends that life. */
  mount(life: Life, die: (reason: string) => void): MountedDisk {
    const { swarm } = this.#options;
    const latencyMs = swarm.diskLatencyMs;
    const queue = { ...this.#options, latencyMs, die, fateOf: (label: string) => this.#fateOf(label), refusal: () => new StoreFullError("no space left") };
    const rows = new WriteQueue(queue);
    life.onEnd(() => rows.crash());
    return { store: this.#mountedStore(life, rows), blobs: this.#mountedBlobs(life, queue), files: this.#mountedFiles(life, queue) };
  }

  #fateOf(label: string): WriteFate {
    const { crashesPerWrite } = this.#options.swarm;
    const draw = this.#random.uniform();
    if (!this.isCalm && draw < crashesPerWrite) return draw < crashesPerWrite / 2 ? "crash-before" : "crash-after";
    // What is removed needs no room.
    return this.isFull && !label.startsWith("files.remove") ? "refused" : "done";
  }

  async #latency(): Promise<void> {
    const { time, swarm } = this.#options;
    await time.sleep(durationMs(this.#random.uniform() * swarm.diskLatencyMs));
  }

  #mountedStore(life: Life, rows: WriteQueue): Store {
    const { store } = this;
    const { witness } = this.#options;
    const read = <T>(label: string, work: () => Promise<T>): Promise<T> => life.during(`store.${label}`, async () => {
      await this.#latency();
      return work();
    });
    const write = <T>(label: string, work: () => Promise<T>, seen: () => void): Promise<T> => life.during(`store.${label}`, () => rows.add(`store.${label}`, async () => {
      const done = work();
      // Counted only when it was done: the store refuses what breaks its keys.
      const value = await done;
      seen();
      return value;
    }));
    return {
      addPopulation: (row) => write("addPopulation", () => store.addPopulation(row), () => witness.populationAdded(row)),
      populations: () => read("populations", () => store.populations()),
      addTask: (row, start) => write("addTask", () => store.addTask(row, start), () => witness.taskAdded(row, start)),
      tasks: () => read("tasks", () => store.tasks()),
      saveProgress: (task) => write("saveProgress", () => store.saveProgress(task), () => witness.progressSaved(task, task.progress)),
      openRound: (row) => write("openRound", () => store.openRound(row), () => witness.roundOpened(row)),
      openRounds: () => read("openRounds", () => store.openRounds()),
      addAssignment: (row) => write("addAssignment", () => store.addAssignment(row), () => witness.placeAssigned(row)),
      addDeparture: (row) => write("addDeparture", () => store.addDeparture(row), () => witness.placeLeft(row)),
      saveRoundState: (round, state) => write("saveRoundState", () => store.saveRoundState(round, state), () => witness.roundStateSaved(round, state)),
      assignments: (round) => read("assignments", () => store.assignments(round)),
      departures: (round) => read("departures", () => store.departures(round)),
      closeRound: (closing) => write("closeRound", () => store.closeRound(closing), () => witness.roundClosed(closing)),
      closedRounds: (task, latest) => read("closedRounds", () => store.closedRounds(task, latest)),
      closedRound: (round) => read("closedRound", () => store.closedRound(round)),
      reports: (round) => read("reports", () => store.reports(round)),
      models: (task) => read("models", () => store.models(task)),
      latestModel: (task) => read("latestModel", () => store.latestModel(task)),
      close: () => read("close", () => Promise.resolve()),
    };
  }

  #mountedBlobs(life: Life, options: ConstructorParameters<typeof WriteQueue>[0]): BlobStore {
    const { blobs } = this;
    return {
      // A queue of its own for each: blobs are files that know nothing of each other.
      put: (bytes) => life.during("blobs.put", () => {
        const own = new WriteQueue(options);
        const forget = life.onEnd(() => own.crash());
        return own.add("blobs.put", () => blobs.put(bytes)).finally(forget);
      }),
      byteCount: (hash) => life.during("blobs.byteCount", async () => {
        await this.#latency();
        return blobs.byteCount(hash);
      }),
      read: (hash, range) => life.during("blobs.read", async () => {
        await this.#latency();
        return blobs.read(hash, range);
      }),
    };
  }

  #mountedFiles(life: Life, options: ConstructorParameters<typeof WriteQueue>[0]): CheckpointFiles {
    const files = this.#files;
    const removals = new WriteQueue(options);
    life.onEnd(() => removals.crash());
    return {
      read: (round) => life.during("files.read", async () => {
        await this.#latency();
        return files.read(round);
      }),
      write: (round, place, parts) => life.during("files.write", () => {
        const write: FileWrite = { round, place, content: concatBytes(...parts) };
        const own = new WriteQueue(options);
        // Nobody waits for it any more; what is on the disk is any part of it, the whole included.
        const forget = life.onEnd(() => void this.#tear(write));
        return own.add("files.write", () => {
          forget();
          return files.write(round, place, [write.content]);
        }).finally(forget);
      }),
      remove: (round) => life.during("files.remove", () => removals.add("files.remove", () => files.remove(round))),
      keepOnly: (rounds) => life.during("files.keepOnly", () => removals.add("files.remove all others", () => files.keepOnly(rounds))),
    };
  }

  async #tear({ round, place, content }: FileWrite): Promise<void> {
    const whole = this.#random.below(3) === 0;
    const byteCount = whole ? content.length : this.#random.below(content.length + 1);
    const before = (await this.#files.read(round))[place] ?? new Uint8Array();
    // The file itself may be there already, and empty.
    if (byteCount === 0 && this.#random.below(2) === 0) return;
    await this.#files.write(round, place, [content.subarray(0, byteCount), before.subarray(byteCount)]);
  }
}
