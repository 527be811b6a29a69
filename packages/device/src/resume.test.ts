import { equalBytes } from "@tutti/base";
import { array, assert, asyncProperty, boolean, integer, record } from "fast-check";
import { assignmentId } from "@tutti/protocol";
import { expect, test } from "vitest";
import type { Device } from "./device.ts";
import type { LedgerEntry } from "./ledger.ts";
import { processLock } from "./node/index.ts";
import type { Platform } from "./platform.ts";
import { defaultPolicy } from "./policy.ts";
import { deviceWorld, worldStart, type DeviceWorld } from "./test/device-world.ts";
import { mortalPlatform, type Death } from "./test/mortal-platform.ts";
import { retryWindows } from "./test/scripted-coordinator.ts";
import { plan, round } from "./test/scripted-task.ts";

const assignment = assignmentId(round, 0);

/** One life of the device; null when it died. */
async function life(world: DeviceWorld, death: Death | null): Promise<Awaited<ReturnType<Device["participate"]>> | null> {
  const { platform, died } = mortalPlatform({ ...world.platform, lock: processLock() }, death);
  return Promise.race([world.device({ platform }).participate(), died.then(() => null)]);
}

/** Dies at the first request that `isFatal` names, before or after the server saw it. */
async function dieAt(world: DeviceWorld, isFatal: (call: string) => boolean, isSeen: boolean): Promise<void> {
  const { platform, died } = mortalPlatform({ ...world.platform, lock: processLock() }, { isFatal, isSeen });
  const end = await Promise.race([world.device({ platform }).participate(), died.then(() => null)]);
  expect(end).toBeNull();
}

test.for([false, true])("a report that may have been sent is sent again byte for byte, and its receipt ends the participation (seen by the server: %s)", async (isSeen) => {
  const world = await deviceWorld();
  await dieAt(world, (call) => call.startsWith("PUT"), isSeen);
  const [open] = await world.device().ledger();
  expect(open).toMatchObject({ end: null, isDisclosed: true, phases: "cdtTu" });
  const kept = world.store.byteStrings.get("report") ?? new Uint8Array();
  const outcome = await life(world, null);
  expect(outcome?.ending).toEqual({ kind: "done", receipt: world.coordinator.receipt(assignment) });
  const bodies = world.coordinator.reports.get(assignment) ?? [];
  expect(bodies).toHaveLength(isSeen ? 2 : 1);
  for (const body of bodies) expect(equalBytes(body, kept)).toBe(true);
  expect(await world.device().ledger()).toMatchObject([{ id: 1, phases: "cdtTu.", end: { ending: { kind: "done" } } }]);
  expect(JSON.parse(world.store.records.get("participations/activity") ?? "")).toEqual({ lastStep: 6, uses: 1 });
  const waitMs = (outcome?.retryAtMs ?? 0) - worldStart;
  expect(waitMs).toBeGreaterThanOrEqual(retryWindows.accepted.earliestMs);
  expect(waitMs).toBeLessThanOrEqual(retryWindows.accepted.latestMs);
});

test.for(["POST /v1/assignments", `GET /v1/blobs/${plan.modelHash}`])("a place without a report is given back after a restart (died at %s)", async (call) => {
  const world = await deviceWorld();
  await dieAt(world, (other) => other === call, true);
  expect((await life(world, null))?.ending).toMatchObject({ kind: "aborted", reason: "shutting-down" });
  expect([...world.coordinator.departures]).toEqual([[assignment, "shutting-down"]]);
  expect(world.coordinator.places.size).toBe(1);
  // Only a device that does not know whether it has a place asks for it again.
  expect(world.coordinator.calls.filter((other) => other === "POST /v1/assignments")).toHaveLength(call === "POST /v1/assignments" ? 2 : 1);
  expect(await world.device().ledger()).toMatchObject([{ isDisclosed: false, end: { ending: { reason: "shutting-down" } } }]);
});

test.for<[string, (world: DeviceWorld) => void, string]>([
  ["consent was withdrawn", (world) => world.conditions.set({ consent: false }), "consent-withdrawn"],
  ["a condition of its task is gone", (world) => world.conditions.set({ unmetered: false }), "conditions-lost"],
  ["its deadline has passed", (world) => world.clock.set(worldStart + 300_001), "deadline-passed"],
  ["the clock was set back, so that nobody knows its deadline", (world) => world.clock.set(worldStart - 1e9), "deadline-passed"],
])("a report found after a restart is not sent when %s", async ([, change, reason]) => {
  const world = await deviceWorld();
  await dieAt(world, (call) => call.endsWith(":begin"), true);
  change(world);
  const outcome = await life(world, null);
  expect(outcome?.ending).toMatchObject({ kind: "aborted", reason });
  expect((outcome?.retryAtMs ?? Infinity) - world.clock.now()).toBeLessThanOrEqual(retryWindows.rejected.latestMs);
  expect(world.coordinator.reports.size).toBe(0);
  expect(world.coordinator.departures.get(assignment)).toBe(reason);
  expect(world.store.byteStrings.has("report")).toBe(false);
});

test("a device that dies before it has a place keeps the moment for having got none", async () => {
  const world = await deviceWorld();
  await dieAt(world, (call) => call === "POST /v1/assignments", false);
  const { atMs } = JSON.parse(world.store.records.get("next-moment") ?? "") as { atMs: number };
  expect(atMs - worldStart).toBeGreaterThanOrEqual(retryWindows.rejected.earliestMs);
  expect(atMs - worldStart).toBeLessThanOrEqual(retryWindows.rejected.latestMs);
});

test("a record that another version of the SDK left counts as none", async () => {
  const world = await deviceWorld();
  await world.store.write([{ kind: "put-record", key: "participation", value: { version: 0, record: { stage: "reporting" } } }]);
  expect((await life(world, null))?.ending.kind).toBe("done");
});

/** All that must hold once a device has died anywhere and has then been let alone to end what it left. */
function expectWhole(world: DeviceWorld, entries: readonly LedgerEntry[], isGoalReached = false): void {
  const { coordinator, store } = world;
  expect(coordinator.reports.size > 0).toBe(!isGoalReached);
  for (const bodies of coordinator.reports.values()) {
    expect(bodies.every((body) => equalBytes(body, bodies[0] ?? body))).toBe(true);
  }
  for (const { phases, end, place, isDisclosed } of entries) {
    expect(end).not.toBeNull();
    expect(phases).toMatch(/^[a-zA-Z]*[.rie]$/);
    expect(phases.match(/[.rie]/g)).toHaveLength(1);
    const isReported = place !== null && coordinator.reports.has(place.assignment);
    // What the server has, the ledger tells of; a receipt is of the entry's own place.
    expect(isDisclosed || !isReported).toBe(true);
    expect(end?.ending.kind !== "done" || (isReported && end.ending.receipt.assignment === place.assignment)).toBe(true);
  }
  // Every place that was handed out was reported for or given back, unless its round told that it has enough.
  const open = [...coordinator.places.values()].filter((place) => !coordinator.reports.has(place) && !coordinator.departures.has(place));
  expect(isGoalReached ? [] : open).toEqual([]);
  const uses = JSON.parse(store.records.get("participations/activity") ?? '{"uses":0}') as { uses: number };
  expect(uses.uses).toBe(entries.filter(({ isDisclosed }) => isDisclosed).length);
  expect(store.records.has("participation") || store.byteStrings.has("report")).toBe(false);
  expect([...store.records.values()].join()).not.toContain("capability-of");
}

test("a device that dies anywhere, again and again, ends each participation exactly once and sends one report per place", async () => {
  const deaths = array(record({ index: integer({ min: 0, max: 25 }), isSeen: boolean() }), { minLength: 1, maxLength: 3 });
  let deathCount = 0;
  await assert(asyncProperty(deaths, integer({ min: 1, max: 1000 }), boolean(), async (planned, seed, isGoalReached) => {
    const world = await deviceWorld({ isGoalReached }, seed);
    for (const death of planned) if ((await life(world, death)) === null) deathCount++;
    // What the last death left is ended first; then the device takes part as if nothing had been.
    await life(world, null);
    const last = await life(world, null);
    expect(last?.ending.kind).toBe(isGoalReached ? "goal-reached" : "done");
    const entries = await world.device().ledger();
    expect(entries.map(({ id }) => id)).toEqual(entries.map((_, i) => i + 1));
    expectWhole(world, entries, isGoalReached);
  }), { numRuns: 150 });
  // The deaths did happen: most indices lie within one participation.
  expect(deathCount).toBeGreaterThan(75);
});

test.for([false, true])("a check-in that came to nothing leaves no participation open, whenever the device dies while it writes that down (written: %s)", async (isSeen) => {
  const world = await deviceWorld();
  const declining = { policy: { ...defaultPolicy, allowPlain: false } };
  await world.device(declining).participate();
  const { platform, died } = mortalPlatform({ ...world.platform, lock: processLock() }, { isFatal: (call) => call === "write", isSeen });
  expect(await Promise.race([world.device({ ...declining, platform }).participate(), died.then(() => null)])).toBeNull();
  expect((await world.device().ledger()).filter(({ end }) => end === null)).toEqual([]);
  expect(await world.device().ledger()).toHaveLength(isSeen ? 2 : 1);
});

test("the check above catches a device that trains anew after its report was sent", async () => {
  const world = await deviceWorld();
  await dieAt(world, (call) => call.startsWith("PUT"), true);
  // The planted fault: another report lies where the one that was sent should be.
  await world.store.write([{ kind: "put-bytes", key: "report", bytes: Uint8Array.of(1, 2, 3) }]);
  await life(world, null);
  const entries = await world.device().ledger();
  expect(() => expectWhole(world, entries)).toThrow();
});

test("the check above catches a report that the ledger does not tell of", async () => {
  const world = await deviceWorld();
  const platform: Platform = { ...world.platform, lock: processLock() };
  await world.device({ platform }).participate();
  const entries = await world.device().ledger();
  expectWhole(world, entries);
  expect(() => expectWhole(world, entries.map((entry) => ({ ...entry, isDisclosed: false })))).toThrow();
});
