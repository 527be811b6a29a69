import { ok, SeededRandom, type SecureRandom } from "@tutti/base";
import { jsEngine, type EnginePorts } from "@tutti/engine";
import { createDevice, type Device, type DeviceOptions } from "../device.ts";
import { NodeDatabase, processLock, settableConditions, type SettableConditions } from "../node/index.ts";
import { nodeCrypto } from "../node/node-crypto.ts";
import type { LocalTrainer, Platform } from "../platform.ts";
import { defaultPolicy } from "../policy.ts";
import { memoryStore, type MemoryStore } from "./memory-store.ts";
import { ScriptedCoordinator, type Script } from "./scripted-coordinator.ts";
import { examples, population } from "./scripted-task.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** One device, its surroundings and its coordinator, all in memory and on virtual time. */
export type DeviceWorld = {
  readonly coordinator: ScriptedCoordinator;
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly conditions: SettableConditions;
  readonly platform: Platform;
  /** A device on this world's platform, or on `platform` where one is given; its app allows plain reports. */
  device(changes?: Partial<DeviceOptions>): Device;
};

export const worldStart = Date.UTC(2027, 0, 1);

/** A world whose device already holds the task's examples. @param seed draws what the platform draws. */
export async function deviceWorld(script: Partial<Script> = {}, seed = 1): Promise<DeviceWorld> {
  const coordinator = new ScriptedCoordinator(script);
  const clock = new VirtualClock(worldStart);
  const store = memoryStore();
  const conditions = settableConditions({ idle: true, charging: true, unmetered: true, consent: true });
  const platform: Platform = {
    fetch: (request) => coordinator.fetch(request),
    crypto: nodeCrypto(new NodeDatabase(":memory:"), "device"),
    random: seededBytes(seed),
    lock: processLock(),
    trainer: microtaskTrainer({ pause: () => Promise.resolve(), now: () => clock.now() }),
    store, clock, conditions,
  };
  const device = (changes: Partial<DeviceOptions> = {}): Device => createDevice({
    population, coordinatorUrl: "https://coordinator.example/", keys: coordinator.keys, platform, policy: { ...defaultPolicy, allowPlain: true }, formFactor: "watch", ...changes,
  });
  await device().examples.add("windows", 1, examples);
  return { coordinator, clock, store, conditions, platform, device };
}

/** The reference engine; its pauses are promises, so that virtual time stands while it trains. */
export function microtaskTrainer(ports: EnginePorts): LocalTrainer {
  const engine = jsEngine(ports);
  const compiled = (model: Parameters<typeof engine.compile>[0], maxBatch: number) => engine.compile(model, { maxBatch, numerics: "deterministic" });
  return {
    engines: [engine.id],
    memoryBytesMax: 2 ** 20,
    train: async ({ model, job, examples: source }, signal) => ok(await (await compiled(model, job.batchSize)).train(job, source, signal)),
    evaluate: async ({ model, parameters, examples: source }) => ok(await (await compiled(model, 8)).evaluate(parameters, source)),
  };
}

/** Bytes that look random and are the same in each run of a test. */
export function seededBytes(seed: number): SecureRandom {
  const random = SeededRandom.from(seed);
  return { bytes: (byteCount) => Uint8Array.from({ length: byteCount }, () => random.uint32() >>> 24) };
}
