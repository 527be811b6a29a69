import { encodeModelFile } from "@tutti/learning";
import { planBytes, type AbortReason, type Plan, type TaskName } from "@tutti/protocol";
import { expect, test } from "vitest";
import type { Ending } from "./ending.ts";
import { deviceWorld, type DeviceWorld } from "./test/device-world.ts";
import { answer, ScriptedCoordinator } from "./test/scripted-coordinator.ts";
import { hashOf, layout, modelFile, offer, parameters, plan } from "./test/scripted-task.ts";

type Refused = { readonly ending: Ending; readonly told: string; readonly reportCount: number };

async function participation(world: DeviceWorld, keys = world.coordinator.keys): Promise<Refused> {
  const { ending } = await world.device({ keys }).participate();
  if (ending.kind === "busy") throw new Error("nobody else takes part");
  return { ending, told: world.coordinator.abortTexts.join(), reportCount: world.coordinator.reports.size };
}

/** Before anything is trained; the place is given back, and only the reason is told. */
function refusedFor(reason: AbortReason, detail: RegExp): Refused {
  const matching = expect.stringMatching(detail) as string;
  return { ending: { kind: "aborted", reason, detail: matching }, told: JSON.stringify({ phases: "c", reason }), reportCount: 0 };
}

test.for<[string, Partial<Plan>]>([
  ["population", { population: "phones" as Plan["population"] }],
  ["task", { task: "speech" as TaskName }],
  ["kind", { kind: "evaluate" }],
  ["round", { round: 8 }],
  ["data", { data: { ...offer.data, collection: "contacts" } }],
  ["eligibility", { eligibility: { ...offer.eligibility, conditions: [] } }],
  ["sum", { sum: { ...offer.sum, clipNorm: 0.26 } }],
  ["sum", { sum: { ...offer.sum, weightMax: 101 } }],
  ["sum", { sum: { ...offer.sum, because: "another reason" } }],
  ["step", { step: 5 }],
  ["parameterCount", { parameterCount: 7 }],
  ["protocol", { protocol: 1.5 }],
  ["model/input", { model: { layers: [{ kind: "magic" }] } }],
  ["job/batchSize", { job: { optimizer: { kind: "sgd", learningRate: 1 } } }],
  ["job keeps layers out of the report", { job: { batchSize: 1, optimizer: { kind: "sgd", learningRate: 1 }, personal: ["out"] } }],
])("a signed plan whose %s is not what was offered, or not understood, is refused", async ([field, change]) => {
  expect(await participation(await deviceWorld({ plan: { ...plan, ...change } }))).toEqual(refusedFor("plan-refused", new RegExp(field)));
});

test("a plan with a field that this device does not know is refused", async () => {
  const extended = { ...plan, also: "send the examples" };
  expect(await participation(await deviceWorld({ plan: extended }))).toEqual(refusedFor("plan-refused", /properties|also/));
});

test("a plan that another key signed is refused", async () => {
  const world = await deviceWorld();
  const keys = { ...world.coordinator.keys, plan: new ScriptedCoordinator().keys.plan };
  expect(await participation(world, keys)).toEqual(refusedFor("plan-refused", /signature/));
});

test("a plan with a smaller bound, or of a later step, is what was offered", async () => {
  const world = await deviceWorld({ plan: { ...plan, step: 9, sum: { ...plan.sum, clipNorm: 0.1, weightMax: 1 } } });
  expect((await world.device().participate()).ending.kind).toBe("done");
});

test("a plan that asks for a newer protocol than its offer is not followed", async () => {
  expect(await participation(await deviceWorld({ plan: { ...plan, protocol: 2 } }))).toEqual(refusedFor("not-eligible", /protocol-too-new/));
});

test.for<[string, Partial<{ modelFile: Uint8Array; plan: Plan }>, AbortReason, RegExp]>([
  ["of another hash than the plan's", { modelFile: encodeModelFile(parameters.map((value) => -value), layout, {}) }, "blob-hash-differs", /not the blob/],
  ["with an infinity", withModel(encodeModelFile(parameters.with(0, Number.POSITIVE_INFINITY), layout, {})), "plan-refused", /finite/],
  ["that is no safetensors file", withModel(new Uint8Array(64)), "plan-refused", /model's/],
])("a model %s is refused", async ([, script, reason, detail]) => {
  expect(await participation(await deviceWorld(script))).toEqual(refusedFor(reason, detail));
});

test("a plan blob that is not the one of its hash is refused", async () => {
  const world = await deviceWorld();
  const other = planBytes({ ...plan, round: 8 });
  world.coordinator.fault = (_, call) => (call.startsWith("GET") && !call.endsWith(plan.modelHash) ? answer(200, other) : null);
  expect(await participation(world)).toEqual(refusedFor("blob-hash-differs", /not the blob/));
});

test("a model blob longer than the plan's model can be takes no memory and no request", async () => {
  const world = await deviceWorld({ modelFile: new Uint8Array(2 * 1024 * 1024) });
  expect(await participation(world)).toEqual(refusedFor("download-failed", /at most/));
  expect(world.coordinator.calls.filter((call) => call.endsWith(plan.modelHash))).toEqual([]);
});

function withModel(file: Uint8Array): { readonly modelFile: Uint8Array; readonly plan: Plan } {
  expect(file).not.toEqual(modelFile);
  return { modelFile: file, plan: { ...plan, modelHash: hashOf(file) } };
}
