import { err, ok } from "@tutti/base";
import { systemClock, systemRandom } from "@tutti/base/node";
import type { Conditions, ConditionsSource, Fetch, LocalTrainer, Lock, Platform } from "../platform.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { nodeStore, type NodeDatabase } from "./node-store.ts";

/** What the devices of one process share. */
export type SharedPorts = { readonly database: NodeDatabase; readonly fetch: Fetch; readonly trainer: LocalTrainer; readonly lock: Lock };

/** Conditions that the app sets. */
export type SettableConditions = ConditionsSource & { set(change: Partial<Conditions>): void };

/** The Node platform of the device named `device`; names keep devices of one database apart. */
export function nodePlatform(device: string, shared: SharedPorts, conditions: ConditionsSource): Platform {
  const { database, fetch, trainer, lock } = shared;
  return {
    fetch, trainer, conditions,
    lock: { ifFree: (name, work) => lock.ifFree(`${device}/${name}`, work) },
    store: nodeStore(database, device),
    crypto: nodeCrypto(database, device),
    random: systemRandom,
    clock: systemClock,
  };
}

/** One participation at a time within this process; two processes must not share a database file. */
export function processLock(): Lock {
  const held = new Set<string>();
  return {
    async ifFree(name, work) {
      if (held.has(name)) return err({ code: "held" });
      held.add(name);
      try {
        return ok(await work());
      } finally {
        held.delete(name);
      }
    },
  };
}

/** Conditions that hold until the app sets others; what runs is told of each change. */
export function settableConditions(start: Conditions): SettableConditions {
  const listeners = new Set<() => void>();
  let conditions = start;
  return {
    current: () => conditions,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set: (change) => {
      conditions = { ...conditions, ...change };
      for (const listener of listeners) listener();
    },
  };
}
