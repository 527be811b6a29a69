import { durationMs, unreachable, type Bytes, type SeededRandom } from "@tutti/base";
import type { DeviceStore, StoreWrite } from "@tutti/device";
import type { Json } from "@tutti/protocol";
import type { Life } from "./life.ts";
import type { VirtualTime } from "./virtual-time.ts";
import { WriteQueue, type WriteFate } from "./write-queue.ts";

/** All that a device keeps, as a backup holds it. */
export type Backup = { readonly records: ReadonlyMap<string, string>; readonly byteStrings: ReadonlyMap<string, Bytes> };

export type MountOptions = {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly latencyMs: number;
  readonly fateOf: (label: string) => WriteFate;
  readonly die: (reason: string) => void;
};

/** A device's flash memory: outlives its restarts, and can be set back to a backup. */
export class DeviceDisk {
  #records = new Map<string, string>();
  #byteStrings = new Map<string, Bytes>();

  backup(): Backup {
    return { records: new Map(this.#records), byteStrings: new Map(this.#byteStrings) };
  }

  restore({ records, byteStrings }: Backup): void {
    this.#records = new Map(records);
    this.#byteStrings = new Map(byteStrings);
  }

  /** What is durable, read and written at once: for the world itself. */
  get durable(): DeviceStore {
    return {
      record: (key) => Promise.resolve(this.#record(key)),
      recordsUnder: (prefix) => Promise.resolve([...this.#records.keys()].filter((key) => key.startsWith(prefix)).toSorted().map((key) => ({ key, value: this.#record(key) ?? null }))),
      bytes: (key) => Promise.resolve(this.#byteStrings.get(key)?.slice()),
      write: (writes) => Promise.resolve().then(() => this.#apply(writes.map((write) => copied(write)))),
    };
  }

  /** The same as one life of the device sees it: writes take their time, and a crash loses what was on its way. */
  mount(life: Life, options: MountOptions): DeviceStore {
    const { durable } = this;
    const { time, random, latencyMs } = options;
    const queue = new WriteQueue({ ...options, refusal: () => new Error("no space left on the device") });
    life.onEnd(() => queue.crash());
    const read = <T>(call: string, work: () => Promise<T>): Promise<T> => life.during(call, async () => {
      await time.sleep(durationMs(random.uniform() * latencyMs));
      return work();
    });
    return {
      record: (key) => read(`record ${key}`, () => durable.record(key)),
      recordsUnder: (prefix) => read(`records under ${prefix}`, () => durable.recordsUnder(prefix)),
      bytes: (key) => read(`bytes ${key}`, () => durable.bytes(key)),
      write: (writes) => life.during("a write", () => {
        const copies = writes.map((write) => copied(write));
        return queue.add(`writing ${writes.map(({ key }) => key).join(", ")}`, () => {
          this.#apply(copies);
          return Promise.resolve();
        });
      }),
    };
  }

  #record(key: string): Json | undefined {
    const text = this.#records.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  }

  #apply(writes: readonly Copied[]): void {
    for (const write of writes) {
      switch (write.kind) {
        case "put-record":
          this.#records.set(write.key, write.text);
          break;
        case "put-bytes":
          this.#byteStrings.set(write.key, write.bytes);
          break;
        case "delete-record":
          this.#records.delete(write.key);
          break;
        case "delete-bytes":
          this.#byteStrings.delete(write.key);
          break;
        default:
          unreachable(write);
      }
    }
  }
}

type Copied =
  | { readonly kind: "put-record"; readonly key: string; readonly text: string }
  | { readonly kind: "put-bytes"; readonly key: string; readonly bytes: Bytes }
  | { readonly kind: "delete-record" | "delete-bytes"; readonly key: string };

/** A write as it was asked for: its maker may use the arrays again. */
function copied(write: StoreWrite): Copied {
  if (write.kind === "put-record") return { kind: write.kind, key: write.key, text: JSON.stringify(write.value) };
  return write.kind === "put-bytes" ? { kind: write.kind, key: write.key, bytes: Uint8Array.from(write.bytes) } : { kind: write.kind, key: write.key };
}
