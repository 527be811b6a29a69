import type { BatchSource } from "@tutti/engine";
import { startCoordinator, type CoordinatorEvent } from "@tutti/coordinator";
import { createDevice, defaultPolicy, type Device, type DevicePolicy } from "@tutti/device";
import { inProcessTrainer, NodeDatabase, nodeFetch, nodePlatform, processLock, settableConditions } from "@tutti/device/node";
import { populationName, routes, type Json, type PopulationKeys, type TaskDocument } from "@tutti/protocol";
import { syntheticWatchTask } from "@tutti/simulator";

export const population = populationName("watches");

/** A coordinator on loopback with one task, its population's keys, and what it told. */
export type TaskWorld = { readonly url: string; readonly keys: PopulationKeys; readonly events: readonly CoordinatorEvent[]; until(isMeant: (event: CoordinatorEvent) => boolean): Promise<CoordinatorEvent>; close(): Promise<void> };

/** Starts a coordinator in memory with `document`; pages of `origins` may ask it. */
export async function startTask(document: TaskDocument, origins: readonly string[]): Promise<TaskWorld> {
  const events: CoordinatorEvent[] = [];
  const listeners = new Set<() => void>();
  const coordinator = await startCoordinator({
    folder: undefined, host: "127.0.0.1", port: 0, allowOrigins: origins,
    onEvent: (event) => {
      events.push(event);
      for (const listener of listeners) listener();
    },
  });
  const operate = async (method: string, path: string, body?: Json): Promise<unknown> => {
    const headers = { authorization: `Bearer ${coordinator.operatorToken}`, "content-type": "application/json" };
    const response = await fetch(coordinator.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const keys = (await operate("PUT", routes.population(population), {})) as PopulationKeys;
  await operate("POST", routes.tasks(population), document);
  const until = (isMeant: (event: CoordinatorEvent) => boolean): Promise<CoordinatorEvent> => new Promise((resolve) => {
    const look = (): void => {
      const found = events.find(isMeant);
      if (found === undefined) return;
      listeners.delete(look);
      resolve(found);
    };
    listeners.add(look);
    look();
  });
  return { url: coordinator.url, keys, events, until, close: () => coordinator.close() };
}

/** The synthetic watch task with rounds of exactly `goalCount` devices: none may be missing. */
export function watchTask(goalCount: number, changes: Partial<TaskDocument> = {}): TaskDocument {
  const { evaluation: _, ...task } = syntheticWatchTask;
  return {
    ...task,
    round: { goalCount, overSelection: 1, selectionWindowMs: 60_000, selectionFractionMin: 1, reportingWindowMs: 60_000, reportingFractionMin: 1 },
    eligibility: { conditions: ["idle"], minSeparation: 1 },
    heldOutFraction: 0,
    stop: { rounds: 2 },
    ...changes,
  };
}

/** As a device ships, with delays of a test. */
export const policy: DevicePolicy = {
  ...defaultPolicy,
  allowPlain: true,
  delays: { ...defaultPolicy.delays, requestPauseMs: 50, transientMs: 100, permanentMs: 100, delayMsMin: 50, delayMsMax: 150 },
};

/** A device of Node that holds `examples`. @param fixedByte what its randomness is made of; undefined for real randomness. */
export async function nodeDevice(world: Pick<TaskWorld, "url" | "keys">, collection: string, examples: BatchSource, fixedByte?: number): Promise<Device> {
  const conditions = settableConditions({ idle: true, charging: true, unmetered: true, consent: true });
  const trainer = inProcessTrainer(undefined, { numerics: fixedByte === undefined ? "fast" : "deterministic" });
  const real = nodePlatform("node", { database: new NodeDatabase(":memory:"), fetch: nodeFetch(1), trainer, lock: processLock() }, conditions);
  const platform = fixedByte === undefined ? real : { ...real, random: { bytes: (byteCount: number) => new Uint8Array(byteCount).fill(fixedByte) } };
  const device = createDevice({ population, coordinatorUrl: world.url, keys: world.keys, platform, policy });
  const added = await device.examples.add(collection, 1, examples);
  if (!added.ok) throw new Error(added.error.expected);
  return device;
}
