import { assert } from "@tutti/base";
import { createDevice, defaultPolicy, type Device, type DevicePolicy, type Platform } from "@tutti/device";
import { inProcessTrainer, NodeDatabase, nodeFetch, nodePlatform, processLock, settableConditions } from "@tutti/device/node";
import { setMaxListeners } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { untilAborted } from "../interruption.ts";
import { openPeople, type Person } from "../people.ts";
import { vanishingPlatform } from "./vanishing-platform.ts";
import { vanishingStep } from "./vanishing-schedule.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./worker-messages.ts";

/** One thread of a demo: many devices, each with its own key, store, connections and life. */
const setup = workerData as WorkerSetup;
const stopping = new AbortController();
const roundOpened = new EventTarget();
// Every device of the thread listens to both.
setMaxListeners(0, roundOpened, stopping.signal);
const trainer = inProcessTrainer();

function tell(message: FromWorker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(message);
}

/** Always at home: what a demo's device would otherwise ask of its owner. */
const conditions = settableConditions({ idle: true, charging: true, unmetered: true, consent: true });

/** Short delays, so that rounds follow each other at once; everything else as a device ships. */
const policy: DevicePolicy = {
  ...defaultPolicy,
  allowPlain: true,
  delays: { ...defaultPolicy.delays, requestPauseMs: 100, transientMs: setup.checkInMs, delayMsMin: setup.checkInMs / 2, delayMsMax: setup.checkInMs },
};

/** What of a device outlives its vanishing: its disk. */
function durablePlatform(person: Person): () => Platform {
  const database = new NodeDatabase(":memory:");
  // A new life has no lock and no connection of the one before.
  return () => nodePlatform(person.id, { database, fetch: nodeFetch(1), trainer, lock: processLock() }, conditions);
}

function deviceOf(person: Person, platform: Platform): Device {
  const { population, coordinatorUrl, keys } = setup;
  return createDevice({ population, coordinatorUrl, keys, platform, policy, formFactor: "watch", cohort: person.cohort });
}

/** One device from its first start to the end of the demo; each time it vanishes it starts again with the next round. */
async function live(person: Person, platformOf: () => Platform): Promise<void> {
  while (!stopping.signal.aborted) {
    const { platform, vanished } = vanishingPlatform(platformOf(), (place) => (person.cohort === "training" ? vanishingStep(setup.vanishing, place) : undefined));
    const end = await Promise.race([deviceOf(person, platform).run(stopping.signal), vanished]);
    if (end === undefined) return;
    tell({ kind: "device-vanished", ...end });
    await nextRound();
  }
}

async function nextRound(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  roundOpened.addEventListener("round", () => resolve(undefined), { once: true });
  await Promise.race([promise, untilAborted(stopping.signal)]);
}

async function addExamples(person: Person, platform: Platform): Promise<void> {
  const { collection, schemaVersion } = setup.query;
  const added = await deviceOf(person, platform).examples.add(collection, schemaVersion, person.examples);
  assert(added.ok, "a population's examples fit a device's store");
}

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "stop") stopping.abort();
  else roundOpened.dispatchEvent(new Event("round"));
});

const people = await openPeople(setup.people, setup.indexes);
const devices = people.map((person) => ({ person, platformOf: durablePlatform(person) }));
for (const { person, platformOf } of devices) await addExamples(person, platformOf());
tell({ kind: "ready" });
await Promise.all(devices.map(({ person, platformOf }) => live(person, platformOf)));
tell({ kind: "stopped" });
