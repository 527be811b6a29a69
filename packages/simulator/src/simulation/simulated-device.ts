import { assert, durationMs, type SeededRandom } from "@tutti/base";
import { createDevice, defaultPolicy, type Device, type DevicePolicy, type Fetch, type ParticipationOutcome, type Platform } from "@tutti/device";
import { processLock, settableConditions } from "@tutti/device/node";
import type { PopulationKeys, PopulationName } from "@tutti/protocol";
import type { Person } from "../population.ts";
import { DeviceDisk } from "../world/device-disk.ts";
import { worldCrypto } from "../world/device-keys.ts";
import { seededBytes } from "../world/seeded-bytes.ts";
import { coordinatorUrl } from "./direct-fetch.ts";
import { withExamplesOf } from "./example-disk.ts";
import { deviceExampleBytesMax } from "./limits.ts";
import { drawSpeed, pooledTrainer, type TrainerParts } from "./pooled-trainer.ts";

/** As devices ship, but for the cache: every round has another model, and a fleet's caches would fill this machine. */
const policy: DevicePolicy = { ...defaultPolicy, allowPlain: true, blobCacheBytesMax: 0 };
const atHome = { idle: true, charging: true, unmetered: true, consent: true };
/** Virtual time may run for years; a data set does not grow old. */
const collections = { lifeMs: durationMs(1000 * 365 * 24 * 3_600_000), bytesMax: deviceExampleBytesMax };

export type DeviceParts = TrainerParts & {
  readonly random: SeededRandom;
  readonly fetch: Fetch;
  readonly population: PopulationName;
  readonly keys: PopulationKeys;
  readonly collection: string;
  readonly schemaVersion: number;
};

/** The real SDK on one person's examples. Until it is woken for the first time it costs nothing. */
export class SimulatedDevice {
  readonly #person: Person;
  readonly #parts: DeviceParts;
  #device: Device | undefined;

  constructor(person: Person, parts: DeviceParts) {
    this.#person = person;
    this.#parts = parts;
  }

  /** One participation, from check-in to its end. */
  async participate(signal: AbortSignal): Promise<ParticipationOutcome> {
    this.#device ??= await this.#unpacked();
    return this.#device.participate(signal);
  }

  async #unpacked(): Promise<Device> {
    const { random, fetch, time, population, keys, collection, schemaVersion } = this.#parts;
    const { examples, cohort } = this.#person;
    const platform: Platform = {
      fetch,
      crypto: worldCrypto(seededBytes(random.split("keys"))),
      random: seededBytes(random.split("secure")),
      store: withExamplesOf(examples, new DeviceDisk().durable),
      lock: processLock(),
      clock: time,
      conditions: settableConditions(atHome),
      trainer: pooledTrainer(this.#parts, drawSpeed(random.split("speed"))),
    };
    const device = createDevice({ population, coordinatorUrl, keys, platform, policy, collections, cohort });
    const added = await device.examples.add(collection, schemaVersion, examples());
    assert(added.ok, "a person's examples fit a device's store");
    return device;
  }
}
