import { instantMs } from "@tutti/base";
import { jsEngine, layoutOf, noMetrics, type LocalResult } from "@tutti/engine";
import { expect, test } from "vitest";
import { beginLocalTraining, endLocalTraining } from "./local-training.ts";
import { sgdTraining, softmaxModel, softmaxPeople } from "./test/softmax-people.ts";

const parameterCount = layoutOf(softmaxModel).parameterCount;
const result: LocalResult = {
  delta: Float32Array.of(1, 2), personal: new Float32Array(), exampleCount: 7, exampleVisitCount: 14, stepCount: 4,
  lossFirst: 1, lossLast: 0.5, metrics: noMetrics, stopped: "completed",
};

async function trained(signal?: AbortSignal): Promise<LocalResult> {
  const trainer = await jsEngine({ pause: async () => {}, now: () => instantMs(0) }).compile(softmaxModel, { maxBatch: 4, numerics: "deterministic" });
  const [person] = softmaxPeople(3, [10]);
  if (person === undefined) throw new Error("nobody");
  return trainer.train(beginLocalTraining(sgdTraining, { parameters: new Float32Array(parameterCount), shuffleSeed: 5 }), person, signal);
}

test("what was trained is reported by examples once, however often they were visited", async () => {
  const outcome = endLocalTraining(await trained());
  expect(outcome).toMatchObject({ ok: true, value: { exampleCount: 10, metrics: { count: 20 } } });
  expect(outcome.ok && outcome.value.delta.some((value) => value !== 0)).toBe(true);
});

test("training that its signal stopped is not reported", async () => {
  expect(endLocalTraining(await trained(AbortSignal.abort()))).toEqual({ ok: false, error: { code: "stopped" } });
});

test("training that reached its time limit is", () => {
  expect(endLocalTraining({ ...result, stopped: "time" }).ok).toBe(true);
});

test.each<[string, Partial<LocalResult>]>([
  ["a loss that left the numbers", { stopped: "non-finite" }],
  ["a NaN in the delta", { delta: Float32Array.of(0, Number.NaN) }],
  ["an infinity in the delta", { delta: Float32Array.of(Number.NEGATIVE_INFINITY, 0) }],
])("%s is not reported", (_, fault) => {
  expect(endLocalTraining({ ...result, ...fault })).toEqual({ ok: false, error: { code: "not-finite" } });
});

test("the downloaded model is not written by training", async () => {
  const parameters = new Float32Array(parameterCount);
  const trainer = await jsEngine({ pause: async () => {}, now: () => instantMs(0) }).compile(softmaxModel, { maxBatch: 4, numerics: "deterministic" });
  await trainer.train(beginLocalTraining(sgdTraining, { parameters, shuffleSeed: 5 }), softmaxPeople(3, [10])[0] ?? { exampleCount: 0, inputs: new Float32Array(), targets: new Int32Array() });
  expect([...parameters]).toEqual(Array.from({ length: parameterCount }, () => 0));
});
