import { sha256Hex } from "@tutti/base";
import { decode, PlanSchema, populationName, type Json } from "@tutti/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openTaskProgress, roundPolicyOf } from "./task-progress.ts";
import { planOf, taskFromDocument, type TaskFault } from "./task.ts";
import { taskDocument, taskOf } from "./test/task-document.ts";

/** The document with the field at `path` replaced, or removed where the value is undefined. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(taskDocument) as unknown as Record<string, unknown>;
  const names = path.split("/").slice(1);
  const last = names.pop() ?? "";
  let at = copy;
  for (const name of names) at = at[name] as Record<string, unknown>;
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return copy;
}

function faultsOf(document: unknown): readonly TaskFault[] {
  const task = taskFromDocument(document);
  return task.ok ? [] : task.error;
}

test("a whole document is a task, with its parts decoded", () => {
  const task = taskOf(taskDocument);
  // 4 · 3 weights and 3 biases
  expect(task.parameterCount).toBe(15);
  expect(task.job.exampleOrder).toBe("shuffled");
  expect(task.stop.date).toBe(Date.UTC(2030, 0, 1));
  expect(task.population).toBeNull();
});

test("what may be left out may be left out", () => {
  for (const path of ["/evaluation", "/stop/date", "/stop/rounds", "/stop/target", "/stop/patience", "/population", "/eligibility/memoryBytesMin"]) {
    const document = path === "/evaluation" ? { ...(changed(path, undefined) as object), stop: {} } : changed(path, undefined);
    expect(faultsOf(document)).toEqual([]);
  }
});

test.each<[string, unknown, string]>([
  ["/name", "Not A Name", "/name"],
  ["/name", undefined, "/name"],
  ["/colour", "red", "/colour"],
  ["/start", { seed: -1 }, "/start"],
  ["/start", { blob: "abc" }, "/start"],
  ["/model/layers/0/kind", "quantum", "/model/layers/0/kind"],
  ["/model/layers/0/units", 4, "/model/target"],
  ["/model/layers/0/units", 2 ** 40, "/model/layers/0/units"],
  ["/job/batchSize", 0, "/job/batchSize"],
  ["/job/optimizer", undefined, "/job/optimizer"],
  ["/job/frozen", ["out"], "/job/frozen"],
  ["/job/personal", ["out"], "/job/personal"],
  ["/data/examplesMin", 501, "/data/examplesMax"],
  ["/round/goalCount", 0, "/round/goalCount"],
  ["/round/goalCount", 1_000_001, "/round/goalCount"],
  ["/round/overSelection", 0.9, "/round/overSelection"],
  ["/round/overSelection", 5, "/round/overSelection"],
  ["/round/selectionWindowMs", 0, "/round/selectionWindowMs"],
  ["/round/selectionWindowMs", 25 * 3600 * 1000, "/round/selectionWindowMs"],
  ["/round/selectionFractionMin", 1.1, "/round/selectionFractionMin"],
  ["/round/reportingWindowMs", "soon", "/round/reportingWindowMs"],
  ["/eligibility/conditions", ["sunny"], "/eligibility/conditions/0"],
  ["/eligibility/cohort", "training", "/eligibility/cohort"],
  ["/heldOutFraction", 0, "/heldOutFraction"],
  ["/heldOutFraction", 1, "/heldOutFraction"],
  ["/sum/kind", "secure", "/sum/kind"],
  ["/sum/because", "", "/sum/because"],
  ["/sum/clipNorm", 0, "/sum/clipNorm"],
  ["/sum/clipNorm", 1e-10, "/sum/clipNorm"],
  ["/sum/clipNorm", 1e10, "/sum/clipNorm"],
  ["/serverOptimizer/kind", "sgd", "/serverOptimizer/kind"],
  ["/serverOptimizer/learningRate", 0, "/serverOptimizer/learningRate"],
  ["/durability", "tape", "/durability"],
  ["/evaluation/everyRounds", 0, "/evaluation/everyRounds"],
  ["/evaluation", undefined, "/stop/target"],
  ["/stop/target", { metric: "accuracy" }, "/stop/target"],
  ["/stop/target/metric", "mean-absolute-error", "/stop/target/metric"],
  ["/stop/date", "next week", "/stop/date"],
  ["/stop/date", "2030-01-01T00:00:00", "/stop/date"],
  ["/stop/date", "2030-13-01T00:00:00Z", "/stop/date"],
])("%s as %j is refused at %s", (path, value, faultPath) => {
  expect(faultsOf(changed(path, value)).map((fault) => fault.path)).toContain(faultPath);
});

test("a weight so large that the exact sum's grid would swallow coordinates is refused with the largest that fits", () => {
  // 10^6 reports · 1.6 places · weight ≤ 2^30, so weight ≤ 671
  const document = { ...taskDocument, round: { ...taskDocument.round, goalCount: 1_000_000 }, sum: { ...taskDocument.sum, weightMax: 672 } };
  expect(faultsOf(document)).toEqual([{ path: "/sum/weightMax", expected: "at most 671" }]);
  expect(faultsOf({ ...document, sum: { ...document.sum, weightMax: 671 } })).toEqual([]);
});

test("every fault is told, not the first alone", () => {
  const document = { ...(changed("/round/goalCount", 0) as object), heldOutFraction: 7, durability: "tape" };
  expect(faultsOf(document).map(({ path }) => path).toSorted()).toEqual(["/durability", "/heldOutFraction", "/round/goalCount"]);
});

test("no document, however wild, makes the check throw", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    expect(taskFromDocument(value).ok).toBe(false);
  }));
  const paths = ["/name", "/start", "/model", "/model/layers", "/model/layers/0", "/job", "/job/optimizer", "/data", "/round", "/round/overSelection", "/sum", "/evaluation", "/stop", "/stop/target", "/stop/date", "/eligibility/conditions"];
  fc.assert(fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
    for (const { expected } of faultsOf(changed(path, value))) expect(expected).not.toBe("");
  }), { numRuns: 500 });
});

const fresh = {
  population: populationName("watches"), round: 7, step: 6,
  roundNonce: sha256Hex("0".repeat(64)), modelHash: sha256Hex("a".repeat(64)),
};

test("a plan matches its schema and shows a device both windows as its time", () => {
  const task = taskOf(taskDocument);
  const policy = roundPolicyOf(task, "train", openTaskProgress());
  const plan = planOf(task, { ...fresh, kind: "train", policy });
  expect(decode(PlanSchema, JSON.parse(JSON.stringify(plan)))).toMatchObject({ ok: true });
  // 60 s of selection, and ten minutes of reporting before any device was measured
  expect(plan.reportDeadlineMs).toBe(60_000 + 600_000);
  expect(plan).toMatchObject({ round: 7, step: 6, parameterCount: 15, model: taskDocument.model as object });
});

test("training rounds take the training cohort, evaluations the held-out one", () => {
  const task = taskOf(taskDocument);
  const cohortOf = (kind: "train" | "evaluate") => planOf(task, { ...fresh, kind, policy: roundPolicyOf(task, kind, openTaskProgress()) }).eligibility.cohort;
  expect([cohortOf("train"), cohortOf("evaluate")]).toEqual(["training", "held-out"]);
});

test("nothing of the operator's own rules is in a plan", () => {
  const task = taskOf(taskDocument);
  const plan: Json = planOf(task, { ...fresh, kind: "train", policy: roundPolicyOf(task, "train", openTaskProgress()) });
  for (const secret of ["goalCount", "stop", "overSelection", "evaluation", "assignedTarget", "policy"]) expect(JSON.stringify(plan)).not.toContain(`"${secret}"`);
});

test("a task that names its population makes no plan for another one", () => {
  const task = taskOf({ ...taskDocument, population: populationName("phones") });
  expect(() => planOf(task, { ...fresh, kind: "train", policy: roundPolicyOf(task, "train", openTaskProgress()) })).toThrow("the population that it names");
});
