import { durationMs } from "@tutti/base";
import { assignmentId, type AbortReason } from "@tutti/protocol";
import { expect, test } from "vitest";
import type { Platform } from "./platform.ts";
import { deviceWorld, microtaskTrainer, worldStart, type DeviceWorld } from "./test/device-world.ts";
import { plan, round } from "./test/scripted-task.ts";

const assignment = assignmentId(round, 0);
const put = `PUT /v1/reports/${assignment}`;

/** What may end a participation from outside. */
const interruptions = {
  "consent-withdrawn": (world: DeviceWorld) => world.conditions.set({ consent: false }),
  "conditions-lost": (world: DeviceWorld) => world.conditions.set({ unmetered: false }),
  "shutting-down": (_: DeviceWorld, app: AbortController) => app.abort(),
  "deadline-passed": (world: DeviceWorld) => world.clock.sleep(durationMs(300_001)),
} as const satisfies Partial<Record<AbortReason, (world: DeviceWorld, app: AbortController) => unknown>>;
type Interruption = keyof typeof interruptions;
const reasons = Object.keys(interruptions) as readonly Interruption[];

/** The stops with a place, by the request that is under way; the last ones by how often the trainer has paused. */
const stops = [`GET the plan`, `GET the model`, "the second minibatch", `POST the question`, put] as const;

function isStop(stop: (typeof stops)[number], call: string): boolean {
  switch (stop) {
    case "GET the plan":
      return call.startsWith("GET") && !call.endsWith(plan.modelHash);
    case "GET the model":
      return call.startsWith("GET") && call.endsWith(plan.modelHash);
    case "POST the question":
      return call.endsWith(":begin");
    default:
      return call === stop;
  }
}

test.for(stops.flatMap((stop) => reasons.map((reason) => [stop, reason] as const)))("at %s, %s ends the participation and gives the place back", async ([stop, reason]) => {
  const world = await deviceWorld();
  const app = new AbortController();
  let pauseCount = 0;
  world.coordinator.fault = async (request, call) => {
    if (isStop(stop, call)) {
      await interruptions[reason](world, app);
      // As any platform's fetch, this one rejects when its signal aborts before the answer.
      request.signal.throwIfAborted();
    }
    return world.coordinator.scripted(request, call);
  };
  const trainer = microtaskTrainer({
    now: () => world.clock.now(),
    pause: async () => {
      if (++pauseCount === 2 && stop === "the second minibatch") await interruptions[reason](world, app);
    },
  });
  const { ending } = await world.device({ platform: { ...world.platform, trainer } }).participate(app.signal);
  expect(ending).toMatchObject({ kind: "aborted", reason });
  expect(world.coordinator.abortTexts.map((text) => (JSON.parse(text) as { reason: string }).reason)).toEqual([reason]);
  expect(world.coordinator.reports.size).toBe(0);
  // Training began only after the downloads, and went no further than the minibatch at which it was stopped.
  expect(pauseCount > 0).toBe(!stop.startsWith("GET"));
  expect(pauseCount === 2).toBe(stop === "the second minibatch");
  const [entry] = await world.device().ledger();
  expect(entry?.isDisclosed).toBe(stop === put);
  expect(world.store.byteStrings.has("report")).toBe(false);
  // No timer of the watch is left behind.
  expect(world.clock.sleeperCount).toBe(0);
});

test.for(reasons.filter((reason) => reason !== "deadline-passed"))("%s while the device asks for its place is seen before anything is downloaded", async (reason) => {
  const world = await deviceWorld();
  const app = new AbortController();
  world.coordinator.fault = (_, call) => {
    if (call === "POST /v1/assignments") interruptions[reason](world, app);
    return null;
  };
  expect((await world.device().participate(app.signal)).ending).toMatchObject({ kind: "aborted", reason });
  expect(world.coordinator.calls.filter((call) => call.startsWith("GET"))).toEqual([]);
  expect(world.coordinator.departures.get(assignment)).toBe(reason);
});

test.for(["consent-withdrawn", "conditions-lost"] as const)("%s while the device checks in ends in no place at all", async (reason) => {
  const world = await deviceWorld();
  world.coordinator.fault = (_, call) => {
    if (call.endsWith("check-ins")) interruptions[reason](world);
    return null;
  };
  expect((await world.device().participate()).ending.kind).toBe("declined");
  expect(world.coordinator.places.size).toBe(0);
});

test("a condition that the task does not ask for may be lost", async () => {
  const world = await deviceWorld();
  world.coordinator.fault = () => {
    world.conditions.set({ charging: false });
    return null;
  };
  expect((await world.device().participate()).ending.kind).toBe("done");
});

test("an abort that does not arrive is not tried again: the round goes on without", async () => {
  const world = await deviceWorld();
  world.coordinator.fault = (_, call) => {
    if (call.startsWith("GET")) world.conditions.set({ idle: false });
    if (call.endsWith(":abort")) throw new Error("the connection was reset");
    return null;
  };
  expect((await world.device().participate()).ending).toMatchObject({ kind: "aborted", reason: "conditions-lost" });
  expect(world.coordinator.calls.filter((call) => call.endsWith(":abort"))).toHaveLength(1);
  expect(world.clock.now()).toBe(worldStart);
});

/** A fetch that no signal ends: the device itself must not go on. */
function deaf(world: DeviceWorld): Platform {
  return { ...world.platform, fetch: (request) => world.coordinator.fetch({ ...request, signal: new AbortController().signal }) };
}

test("a consent that is withdrawn while the server says go keeps the report here, and the ledger says that it never left", async () => {
  const world = await deviceWorld();
  world.coordinator.fault = (_, call) => {
    if (call.endsWith(":begin")) world.conditions.set({ consent: false });
    return null;
  };
  const device = world.device({ platform: deaf(world) });
  expect((await device.participate()).ending).toMatchObject({ kind: "aborted", reason: "consent-withdrawn" });
  expect(world.coordinator.reports.size).toBe(0);
  expect(await device.ledger()).toMatchObject([{ isDisclosed: false }]);
});

test("nothing is asked once the app has ended the participation, whatever the platform's fetch makes of signals", async () => {
  const world = await deviceWorld();
  await world.device({ platform: deaf(world) }).participate(AbortSignal.abort());
  expect(world.coordinator.calls).toEqual([]);
});

test("no blob is asked for after a condition was lost, whatever the platform's fetch makes of signals", async () => {
  const world = await deviceWorld();
  world.coordinator.fault = (_, call) => {
    if (call === "POST /v1/assignments") world.conditions.set({ idle: false });
    return null;
  };
  expect((await world.device({ platform: deaf(world) }).participate()).ending).toMatchObject({ reason: "conditions-lost" });
  expect(world.coordinator.calls.filter((call) => call.startsWith("GET"))).toEqual([]);
});
