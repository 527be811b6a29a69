import type { HttpRequest, Platform } from "../platform.ts";

/**
 * Where a device dies: at the store write or the request of this index, or at the first request that
 * `isFatal` names. `isSeen`: the write was done, or the server answered; the device never learns.
 */
export type Death = { readonly isSeen: boolean } & ({ readonly index: number } | { isFatal(call: string): boolean });

/** `platform` for one life: after the death nothing it is asked is ever done or answered. */
export function mortalPlatform(platform: Platform, death: Death | null): { readonly platform: Platform; readonly died: Promise<void> } {
  const { promise: died, resolve: die } = Promise.withResolvers<undefined>();
  let stepCount = 0;
  let isAlive = true;
  const step = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    const isFatal = death !== null && ("index" in death ? death.index === stepCount : death.isFatal(call));
    stepCount++;
    if (!isAlive) return never();
    if (!isFatal) return whileAlive(work);
    isAlive = false;
    if (death.isSeen) await work();
    die(undefined);
    return never();
  };
  const whileAlive = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!isAlive) return never();
    const value = await work();
    return isAlive ? value : never();
  };
  const { store, clock, trainer } = platform;
  const mortal: Platform = {
    ...platform,
    fetch: (request) => step(callOf(request), () => platform.fetch(request)),
    store: {
      record: (key) => whileAlive(() => store.record(key)),
      recordsUnder: (prefix) => whileAlive(() => store.recordsUnder(prefix)),
      bytes: (key) => whileAlive(() => store.bytes(key)),
      write: (writes) => step("write", () => store.write(writes)),
    },
    clock: { now: () => clock.now(), sleep: (duration, signal) => whileAlive(() => clock.sleep(duration, signal)) },
    trainer: {
      ...trainer,
      train: (work, signal) => whileAlive(() => trainer.train(work, signal)),
      evaluate: (work, signal) => whileAlive(() => trainer.evaluate(work, signal)),
    },
  };
  return { platform: mortal, died };
}

function callOf({ method, url }: HttpRequest): string {
  return `${method} ${new URL(url).pathname}`;
}

function never(): Promise<never> {
  return Promise.withResolvers<never>().promise;
}
