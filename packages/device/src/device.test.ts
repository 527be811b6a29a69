import { AssertionError, durationMs } from "@tutti/base";
import { expect, test } from "vitest";
import type { ParticipationOutcome } from "./device.ts";
import { NodeDatabase } from "./node/index.ts";
import { nodeCrypto } from "./node/node-crypto.ts";
import { deviceWorld, worldStart, type DeviceWorld } from "./test/device-world.ts";
import { json, retryWindows, ScriptedCoordinator } from "./test/scripted-coordinator.ts";
import { examples, population } from "./test/scripted-task.ts";

const checkIn = "POST /v1/populations/watches/check-ins";

/** Runs a device until it has taken part `count` times; when each check-in came, and how each ended. */
async function runFor(world: DeviceWorld, count: number, changes: Parameters<DeviceWorld["device"]>[0] = {}): Promise<{ readonly times: number[]; readonly outcomes: ParticipationOutcome[] }> {
  const app = new AbortController();
  const times: number[] = [];
  const outcomes: ParticipationOutcome[] = [];
  world.coordinator.fault = (_, call) => {
    if (call === checkIn) times.push(world.clock.now() - worldStart);
    return null;
  };
  await world.device(changes).run(app.signal, (outcome) => {
    outcomes.push(outcome);
    if (outcomes.length === count) app.abort();
  });
  return { times, outcomes };
}

function waitsBetween(times: readonly number[]): readonly number[] {
  return times.slice(1).map((at, i) => at - (times[i] ?? 0));
}

test("a running device takes part, waits for the moment that it drew, and takes part again, until its app ends it", async () => {
  const world = await deviceWorld();
  const { times, outcomes } = await runFor(world, 4);
  expect(outcomes.map(({ ending }) => ending.kind)).toEqual(["done", "done", "done", "done"]);
  for (const waitedMs of waitsBetween(times)) {
    expect(waitedMs).toBeGreaterThanOrEqual(retryWindows.accepted.earliestMs);
    expect(waitedMs).toBeLessThanOrEqual(retryWindows.accepted.latestMs);
  }
  expect(world.clock.sleeperCount).toBe(0);
});

test("a device that is started again waits for the moment that it drew before", async () => {
  const world = await deviceWorld();
  const { retryAtMs } = await world.device().participate();
  const { times } = await runFor(world, 1);
  expect(times).toEqual([retryAtMs - worldStart]);
});

test("a stored moment further away than its window's later end is drawn anew, and once", async () => {
  const world = await deviceWorld();
  await world.device().participate();
  // The clock was a year ahead when the moment was drawn, and has been set right since.
  const yearMs = 365 * 24 * 3_600_000;
  world.clock.set(worldStart - yearMs);
  const { times } = await runFor(world, 1);
  const waitMs = (times[0] ?? 0) + yearMs;
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThanOrEqual(retryWindows.accepted.latestMs);
});

test("what a crash left does not wait for its moment", async () => {
  const world = await deviceWorld();
  const begin = (call: string) => call.endsWith(":begin");
  world.coordinator.fault = (_, call) => (begin(call) ? new Promise(() => undefined) : null);
  // A page that is closed at this point takes the device with it.
  void world.device({ platform: { ...world.platform, lock: { ifFree: async (_, work) => ({ ok: true, value: await work() }) }, clock: { now: () => world.clock.now(), sleep: () => new Promise(() => undefined) } } }).participate();
  await new Promise((resolve) => { setImmediate(resolve); });
  expect(world.store.byteStrings.has("report")).toBe(true);
  const { outcomes } = await runFor(world, 1);
  expect(outcomes[0]?.ending.kind).toBe("done");
  expect(world.clock.now()).toBe(worldStart);
});

test("two tabs of one device share its moments: the second takes part no earlier than the first would again", async () => {
  const world = await deviceWorld();
  const app = new AbortController();
  const times: number[] = [];
  world.coordinator.fault = (_, call) => {
    if (call === checkIn) times.push(world.clock.now());
    if (times.length === 6) app.abort();
    return null;
  };
  const tab = () => world.device().run(app.signal);
  await Promise.all([tab(), tab()]);
  expect(Math.min(...waitsBetween(times))).toBeGreaterThanOrEqual(retryWindows.accepted.earliestMs);
});

test("while one tab takes part another is told so, and asks the server nothing", async () => {
  const world = await deviceWorld();
  const device = world.device();
  let second: ParticipationOutcome | null = null;
  let askedCount = Number.NaN;
  world.coordinator.fault = (request, call) => call !== checkIn ? null : (async () => {
    const before = world.coordinator.calls.length;
    second = await world.device().participate();
    askedCount = world.coordinator.calls.length - before;
    return world.coordinator.scripted(request, call);
  })();
  expect((await device.participate()).ending.kind).toBe("done");
  expect(askedCount).toBe(0);
  expect(second).toMatchObject({ ending: { kind: "busy" } });
  expect(await device.ledger()).toHaveLength(1);
});

test("forget() erases examples, key, enrolment, history and blobs; the counts of reports stay", async () => {
  const world = await deviceWorld();
  const device = world.device();
  await device.participate();
  const before = await world.platform.crypto.key(population);
  expect(await device.forget()).toEqual({ ok: true, value: undefined });
  expect([...world.store.records]).toEqual([["participations/activity", '{"lastStep":6,"uses":1}']]);
  expect(world.store.byteStrings.size).toBe(0);
  expect(await world.platform.crypto.key(population)).toBeUndefined();
  expect(await device.ledger()).toEqual([]);
  await device.examples.add("windows", 1, examples);
  expect((await device.participate()).ending.kind).toBe("done");
  const after = await world.platform.crypto.key(population);
  expect(after?.publicKey).not.toEqual(before?.publicKey);
  expect(world.store.records.get("participations/activity")).toBe('{"lastStep":6,"uses":2}');
});

test("forget() is refused while a participation runs, and nothing is erased", async () => {
  const world = await deviceWorld();
  const device = world.device();
  let forgotten: unknown = null;
  world.coordinator.fault = (request, call) => call !== checkIn ? null : device.forget().then((result) => {
    forgotten = result;
    return world.coordinator.scripted(request, call);
  });
  expect((await device.participate()).ending.kind).toBe("done");
  expect(forgotten).toEqual({ ok: false, error: { code: "busy" } });
});

test("a device enrols once, and keeps its cohort to itself", async () => {
  const world = await deviceWorld();
  await world.device().participate();
  await world.device().participate();
  expect(world.coordinator.calls.filter((call) => call.endsWith("/devices"))).toHaveLength(1);
  const { cohortDraw } = JSON.parse(world.store.records.get("enrolment") ?? "") as { cohortDraw: number };
  expect(cohortDraw).toBeGreaterThanOrEqual(0);
  expect(cohortDraw).toBeLessThan(1);
});

test("a device whose key was lost is a new device and enrols again", async () => {
  const world = await deviceWorld();
  await world.device().participate();
  const platform = { ...world.platform, crypto: nodeCrypto(new NodeDatabase(":memory:"), "device") };
  expect((await world.device({ platform }).participate()).ending.kind).toBe("done");
  expect(world.coordinator.calls.filter((call) => call.endsWith("/devices"))).toHaveLength(2);
});

test("a certificate by another key, or for another one, is refused and not kept", async () => {
  const world = await deviceWorld();
  const other = await deviceWorld();
  const forged = { ...world.coordinator.keys, enrolment: new ScriptedCoordinator().keys.enrolment };
  expect((await world.device({ keys: forged }).participate()).ending).toMatchObject({ kind: "failed", code: "certificate-forged" });
  await other.device().participate();
  const { certificate } = JSON.parse(other.store.records.get("enrolment") ?? "") as { certificate: Record<string, string> };
  world.coordinator.fault = (_, call) => (call.endsWith("/devices") ? json({ certificate }) : null);
  expect((await world.device({ keys: { ...world.coordinator.keys, enrolment: other.coordinator.keys.enrolment } }).participate()).ending).toMatchObject({ code: "certificate-forged" });
  expect(world.store.records.has("enrolment")).toBe(false);
});

test("a store that fails ends the participation with a name; the next one ends what it left", async () => {
  const world = await deviceWorld();
  let isFull = true;
  const store = {
    ...world.platform.store,
    write: async (writes: Parameters<typeof world.store.write>[0]) => {
      if (isFull && writes.some((write) => write.kind === "put-bytes" && write.key === "report")) throw new Error("the quota is exceeded");
      await world.store.write(writes);
    },
  };
  const device = world.device({ platform: { ...world.platform, store } });
  expect((await device.participate()).ending).toMatchObject({ kind: "failed", code: "platform-failed", retry: "transient", detail: "the quota is exceeded" });
  isFull = false;
  expect((await device.participate()).ending).toMatchObject({ kind: "aborted", reason: "shutting-down" });
  expect((await device.participate()).ending.kind).toBe("done");
});

test("a broken promise of the device's own code is not made into an ending", async () => {
  const world = await deviceWorld();
  const store = { ...world.platform.store, write: () => Promise.reject(new AssertionError("a planted one")) };
  await expect(world.device({ platform: { ...world.platform, store } }).participate()).rejects.toThrow("a planted one");
});

test("the cohort that the app sets wins over the device's draw", async () => {
  const world = await deviceWorld();
  const device = world.device({ cohort: "held-out" });
  expect((await device.participate()).ending.kind).toBe("declined");
  expect(await device.ledger()).toMatchObject([{ declined: [{ reason: "other-cohort" }] }]);
});

test("expired examples are erased with the next participation, whether or not the app adds more", async () => {
  const world = await deviceWorld();
  const device = world.device({ collections: { lifeMs: durationMs(1000), bytesMax: 10_000 } });
  world.clock.set(worldStart + 1001);
  expect((await device.participate()).ending.kind).toBe("declined");
  expect([...world.store.records.keys()].filter((key) => key.startsWith("examples/"))).toEqual([]);
  expect([...world.store.byteStrings.keys()]).toEqual([]);
});
