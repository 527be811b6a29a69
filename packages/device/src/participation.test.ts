import { durationMs, err, hexFromBytes } from "@tutti/base";
import { jsEngine, type LocalJob } from "@tutti/engine";
import { metricSumsOf } from "@tutti/learning";
import { clipByL2Norm } from "@tutti/privacy";
import { assignmentId, decodeJson, decodeSafetensors, float32FromBytes, ReportFactsSchema, reportFactsKey, type Json, type ReportFacts } from "@tutti/protocol";
import { expect, test } from "vitest";
import type { LedgerEntry } from "./ledger.ts";
import type { Platform } from "./platform.ts";
import { defaultPolicy } from "./policy.ts";
import { deviceWorld, microtaskTrainer, worldStart, type DeviceWorld } from "./test/device-world.ts";
import { goalReachedWindow, json, retryWindows, type ScriptedCoordinator } from "./test/scripted-coordinator.ts";
import { examples, hashOf, model, offer, parameters, plan, round, training } from "./test/scripted-task.ts";

const assignment = assignmentId(round, 0);
const evaluation = { checkIn: { tasks: [{ ...offer, kind: "evaluate" as const }], retry: retryWindows }, plan: { ...plan, kind: "evaluate" as const } };

function onlyReport({ coordinator }: DeviceWorld): { readonly file: Uint8Array; readonly facts: ReportFacts; readonly delta: Float32Array | null } {
  const [file, ...more] = coordinator.reports.get(assignment) ?? [];
  const decoded = decodeSafetensors(file ?? new Uint8Array());
  if (file === undefined || more.length > 0 || !decoded.ok) throw new Error("there is exactly one report, and it decodes");
  const facts = decodeJson(ReportFactsSchema, decoded.value.metadata[reportFactsKey] ?? "");
  if (!facts.ok) throw new Error(facts.error.path);
  const [tensor] = decoded.value.tensors;
  return { file, facts: facts.value, delta: tensor === undefined ? null : float32FromBytes(tensor.bytes) };
}

async function trainedDirectly(job: LocalJob): Promise<Float32Array> {
  const trainer = await jsEngine({ pause: () => Promise.resolve(), now: () => plannedNow }).compile(model, { maxBatch: 2, numerics: "deterministic" });
  return (await trainer.train(job, examples)).delta;
}
const plannedNow = (await deviceWorld()).clock.now();

/** The world's platform, where each job is told to `listener` before it is trained. */
function overheard({ platform }: DeviceWorld, listener: (job: LocalJob) => void): Platform {
  const { trainer } = platform;
  return { ...platform, trainer: { ...trainer, train: (work, signal) => {
    listener(work.job);
    return trainer.train(work, signal);
  } } };
}

function entryIn(world: DeviceWorld): LedgerEntry | null {
  const text = [...world.store.records].findLast(([key]) => key.startsWith("ledger/"))?.[1];
  return JSON.parse(text ?? "null") as LedgerEntry | null;
}

test("the walk goes from enrolment to receipt, in the order of the protocol", async () => {
  const world = await deviceWorld();
  const { ending } = await world.device().participate();
  expect(ending).toEqual({ kind: "done", receipt: world.coordinator.receipt(assignment) });
  const modelPath = `GET /v1/blobs/${plan.modelHash}`;
  const planPath = world.coordinator.calls.find((call) => call.startsWith("GET") && call !== modelPath);
  expect(world.coordinator.calls).toEqual([
    "POST /v1/populations/watches/devices", "POST /v1/populations/watches/check-ins", "POST /v1/assignments",
    planPath, modelPath, `POST /v1/reports/${assignment}:begin`, `PUT /v1/reports/${assignment}`,
  ]);
  expect(await world.device().ledger()).toEqual([{
    id: 1, startedAtMs: worldStart, offered: ["activity"], declined: [], phases: "cdtTu.", isDisclosed: true,
    place: { task: "activity", assignment, planHash: planPath?.slice("GET /v1/blobs/".length) },
    end: { atMs: worldStart, ending },
  }]);
});

test("the report is what the engine's own training gives, clipped to the plan's bound", async () => {
  const world = await deviceWorld();
  const jobs: LocalJob[] = [];
  await world.device({ platform: overheard(world, (job) => jobs.push(job)) }).participate();
  const [job] = jobs;
  if (job === undefined) throw new Error("nothing was trained");
  expect(job).toEqual({ ...training, start: parameters, shuffleSeed: job.shuffleSeed, correction: null });
  const direct = await trainedDirectly(job);
  expect(Math.hypot(...direct)).toBeGreaterThan(2 * offer.sum.clipNorm);
  const { delta, facts } = onlyReport(world);
  expect(delta).toEqual(clipByL2Norm(direct, offer.sum.clipNorm));
  // 5 examples, each visited in 3 epochs.
  expect(facts).toMatchObject({ assignment, examples: 5, metrics: { count: 15 }, phases: "cdtTu" });
});

test("two participations of one device shuffle their examples by seeds of their own", async () => {
  const world = await deviceWorld();
  const seeds = new Set<number>();
  const device = world.device({ platform: overheard(world, (job) => seeds.add(job.shuffleSeed)) });
  await device.participate();
  await device.participate();
  expect(seeds.size).toBe(2);
});

test("an evaluation reports the metric sums of the downloaded model, no tensor, and counts as a participation", async () => {
  const world = await deviceWorld(evaluation);
  await world.device().participate();
  const direct = await microtaskTrainer({ pause: () => Promise.resolve(), now: () => plannedNow }).evaluate({ model, parameters, examples }, new AbortController().signal);
  const { delta, facts } = onlyReport(world);
  expect(delta).toBeNull();
  expect(facts).toEqual({ assignment, examples: 5, metrics: direct.ok ? metricSumsOf(direct.value) : null, phases: "cdtTu" });
  expect(JSON.parse(world.store.records.get("participations/activity") ?? "")).toEqual({ lastStep: 6, uses: 1 });
});

test("the ledger says that a report may have left before its first byte is sent, and not before the server wants it", async () => {
  const world = await deviceWorld();
  const disclosed: Record<string, boolean> = {};
  const kept = new Map<string, Uint8Array | undefined>();
  world.coordinator.fault = ({ method }, call) => {
    disclosed[call] = entryIn(world)?.isDisclosed ?? false;
    kept.set(method, world.store.byteStrings.get("report"));
    return null;
  };
  await world.device().participate();
  expect(kept.get("PUT")).toEqual(onlyReport(world).file);
  expect(disclosed[`POST /v1/reports/${assignment}:begin`]).toBe(false);
  expect(disclosed[`PUT /v1/reports/${assignment}`]).toBe(true);
});

test("a round that has its goal gets no report, the report's bytes are freed, and its own window sets the next moment", async () => {
  const world = await deviceWorld({ isGoalReached: true });
  const { ending, retryAtMs } = await world.device().participate();
  expect(ending).toEqual({ kind: "goal-reached", retry: goalReachedWindow });
  expect(world.coordinator.reports.size).toBe(0);
  expect(entryIn(world)).toMatchObject({ isDisclosed: false, phases: "cdtTur" });
  expect(world.store.byteStrings.has("report")).toBe(false);
  expect(world.store.records.has("participations/activity")).toBe(false);
  expect(retryAtMs - worldStart).toBeGreaterThanOrEqual(goalReachedWindow.earliestMs);
  expect(retryAtMs - worldStart).toBeLessThanOrEqual(goalReachedWindow.latestMs);
});

test.for<[string, Parameters<typeof deviceWorld>[0], { readonly earliestMs: number; readonly latestMs: number }]>([
  ["done", {}, retryWindows.accepted],
  ["come-back", { hasPlace: false }, retryWindows.rejected],
  ["declined", { checkIn: { tasks: [], retry: retryWindows } }, retryWindows.rejected],
])("after the ending %s the stored moment lies in its window, and it was drawn when the window came", async ([kind, script, window]) => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = await deviceWorld(script, seed);
    const { ending, retryAtMs } = await world.device().participate();
    expect(ending.kind).toBe(kind);
    expect(retryAtMs - worldStart).toBeGreaterThanOrEqual(window.earliestMs);
    expect(retryAtMs - worldStart).toBeLessThanOrEqual(window.latestMs);
    expect(JSON.parse(world.store.records.get("next-moment") ?? "")).toEqual({ atMs: retryAtMs, latestMs: window.latestMs });
  }
});

test("a device that allows no plain reports asks for no place, tells nobody, and writes down why", async () => {
  const world = await deviceWorld();
  const device = world.device({ policy: defaultPolicy });
  expect((await device.participate()).ending).toEqual({ kind: "declined" });
  expect(world.coordinator.calls.filter((call) => !/devices|check-ins/.test(call))).toEqual([]);
  expect(await device.ledger()).toMatchObject([{ declined: [{ task: "activity", reason: "plain-not-allowed" }], phases: "cr", place: null, isDisclosed: false }]);
});

test("without consent the device says not a word, not even that it is there", async () => {
  const world = await deviceWorld();
  world.conditions.set({ consent: false });
  expect((await world.device().participate()).ending).toEqual({ kind: "declined" });
  expect(world.coordinator.calls).toEqual([]);
});

test("a place is taken for the first offer that suits, and those before it are declined", async () => {
  const other = { ...offer, task: "speech" as typeof offer.task, data: { ...offer.data, schemaVersion: 2 } };
  const world = await deviceWorld({ checkIn: { tasks: [other, offer], retry: retryWindows } });
  expect((await world.device().participate()).ending.kind).toBe("done");
  expect(entryIn(world)).toMatchObject({ offered: ["speech", "activity"], declined: [{ task: "speech", reason: "too-few-examples" }] });
});

test("a device that took part at this step declines a task that wants more steps between", async () => {
  const apart = { ...offer, eligibility: { ...offer.eligibility, minSeparation: 2 } };
  const world = await deviceWorld({ checkIn: { tasks: [apart], retry: retryWindows }, plan: { ...plan, eligibility: apart.eligibility } });
  expect((await world.device().participate()).ending.kind).toBe("done");
  expect((await world.device().participate()).ending.kind).toBe("declined");
  expect(entryIn(world)?.declined).toEqual([{ task: "activity", reason: "too-soon" }]);
});

test("a server whose step goes back does not set back what the device counts", async () => {
  const earlier = { ...offer, step: 3 };
  const world = await deviceWorld();
  await world.device().participate();
  world.coordinator.script = { ...world.coordinator.script, checkIn: { tasks: [earlier], retry: retryWindows }, plan: { ...plan, step: 3 } };
  expect((await world.device().participate()).ending.kind).toBe("done");
  expect(JSON.parse(world.store.records.get("participations/activity") ?? "")).toEqual({ lastStep: 6, uses: 2 });
});

test("examples that expire during the download are not trained on, and too few of them give the place back", async () => {
  const data = { ...offer.data, examplesMin: 6 };
  const world = await deviceWorld({ checkIn: { tasks: [{ ...offer, data }], retry: retryWindows }, plan: { ...plan, data } });
  const device = world.device({ collections: { lifeMs: durationMs(1000), bytesMax: 10_000 } });
  world.clock.set(worldStart + 500);
  await device.examples.add("windows", 1, { exampleCount: 1, inputs: Float32Array.of(1, 1), targets: Int32Array.of(0) });
  world.coordinator.fault = (_, call) => {
    if (call.endsWith(plan.modelHash)) world.clock.set(worldStart + 1200);
    return null;
  };
  expect((await device.participate()).ending).toEqual({ kind: "aborted", reason: "not-eligible", detail: "too-few-examples" });
});

test("blobs that were downloaded before are not asked for again, and a cached one that was spoiled is", async () => {
  const world = await deviceWorld();
  await world.device().participate();
  const asked = () => world.coordinator.calls.filter((call) => call.startsWith("GET")).length;
  await world.device().participate();
  expect(asked()).toBe(2);
  await world.store.write([{ kind: "put-bytes", key: `blob/${plan.modelHash}`, bytes: Uint8Array.of(1, 2, 3) }]);
  expect((await world.device().participate()).ending.kind).toBe("done");
  expect(asked()).toBe(3);
  expect(hashOf(world.store.byteStrings.get(`blob/${plan.modelHash}`) ?? new Uint8Array())).toBe(plan.modelHash);
});

test("the capability goes to the addresses of the place alone, and is nowhere once the participation is over", async () => {
  const world = await deviceWorld();
  const token = world.coordinator.token(assignment);
  const carriers: string[] = [];
  world.coordinator.fault = ({ headers }, call) => {
    if (JSON.stringify(headers).includes(token)) carriers.push(call);
    return null;
  };
  const outcome = await world.device().participate();
  expect(carriers).toEqual([`POST /v1/reports/${assignment}:begin`, `PUT /v1/reports/${assignment}`]);
  const kept = JSON.stringify([outcome, ...world.store.records.values()]) + [...world.store.byteStrings.values()].map(hexFromBytes).join();
  expect(kept).not.toContain(token);
  expect(kept).not.toContain(Buffer.from(token).toString("hex"));
});

test("training that leaves the finite numbers gives its place back and reports nothing", async () => {
  const world = await deviceWorld({ plan: { ...plan, job: { batchSize: 2, optimizer: { kind: "sgd", learningRate: 1e6 } } } });
  await world.device().examples.erase();
  await world.device().examples.add("windows", 1, { exampleCount: 4, inputs: new Float32Array(8).fill(3e38), targets: Int32Array.of(0, 1, 0, 1) });
  expect((await world.device().participate()).ending).toMatchObject({ kind: "aborted", reason: "not-finite" });
  expect(world.coordinator.departures.get(assignment)).toBe("not-finite");
  expect(world.coordinator.reports.size).toBe(0);
});

test("an evaluation whose loss is no number gives its place back as well", async () => {
  const world = await deviceWorld(evaluation);
  await world.device().examples.erase();
  await world.device().examples.add("windows", 1, { exampleCount: 2, inputs: new Float32Array(4).fill(3e38), targets: Int32Array.of(0, 1) });
  expect((await world.device().participate()).ending).toMatchObject({ kind: "aborted", reason: "not-finite" });
});

test("examples that do not have the model's shape end the training in a named abort, and the server is told the name alone", async () => {
  const world = await deviceWorld();
  await world.device().examples.erase();
  await world.device().examples.add("windows", 1, { exampleCount: 1, inputs: Float32Array.of(1, 2, 3), targets: Int32Array.of(0) });
  expect((await world.device().participate()).ending).toEqual({ kind: "aborted", reason: "training-failed", detail: "inputs hold exampleCount x 2 numbers" });
  expect(world.coordinator.abortTexts).toEqual([JSON.stringify({ phases: "cdt", reason: "training-failed" })]);
});

test("a model that no engine here can run gives the place back", async () => {
  const world = await deviceWorld();
  const trainer = { ...world.platform.trainer, train: () => Promise.resolve(err({ code: "engine-missing", missing: ["lstm"] } as const)) };
  const { ending } = await world.device({ platform: { ...world.platform, trainer } }).participate();
  expect(ending).toEqual({ kind: "aborted", reason: "engine-missing", detail: "lstm" });
});

test.for<[string, (coordinator: ScriptedCoordinator) => Json]>([
  ["another signature", (coordinator) => ({ ...coordinator.receipt(assignment), signature: "A".repeat(86) })],
  ["another model", (coordinator) => ({ ...coordinator.receipt(assignment), modelHash: "0".repeat(64) })],
  ["another assignment, though it is signed", (coordinator) => coordinator.receipt(assignmentId(round, 1))],
])("a receipt of %s is no receipt", async ([, change]) => {
  const world = await deviceWorld();
  world.coordinator.fault = (request) => {
    return request.method === "PUT" ? json(change(world.coordinator)) : null;
  };
  const { ending } = await world.device().participate();
  expect(ending).toMatchObject({ kind: "failed", code: "receipt-forged" });
  expect(entryIn(world)).toMatchObject({ isDisclosed: true, phases: "cdtTue" });
});
