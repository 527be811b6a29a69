import { equalBytes, textFromUtf8, type Bytes } from "@tutti/base";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { describe, expect, test } from "vitest";
import { AbortRequestSchema, AssignmentAnswerSchema, AssignmentRequestSchema } from "./assignment.ts";
import { CheckInAnswerSchema, CheckInRequestSchema } from "./check-in.ts";
import { decode, decodeJson, parseJson } from "./decode.ts";
import { certificateBytes, EnrolmentAnswerSchema, EnrolmentRequestSchema, PopulationKeysSchema } from "./enrolment.ts";
import { populationName, taskName } from "./ids.ts";
import { examplesPerReportMax, offeredTasksMax, retryWindowMsMax, textCharactersMax } from "./limits.ts";
import { ModelListSchema, TaskDetailSchema, TaskListSchema } from "./operator.ts";
import { planBytes, PlanSchema, planSignatureBytes, type Plan } from "./plan.ts";
import { receiptBytes, ReceiptSchema, ReportBeginAnswerSchema, ReportBeginRequestSchema, ReportFactsSchema, type Receipt } from "./report.ts";
import { assignmentExample, hash, key, planExample, signature, sumExample } from "./test/examples.ts";

const retry = { earliestMs: 0, latestMs: 500 };
const offer = { task: "activity", kind: "train", protocol: 1, data: planExample.data, eligibility: planExample.eligibility, sum: sumExample, step: 0 };
const blob = { hash, bytes: 10, url: "/v1/blobs/x" };
const metrics = { count: 10, lossSum: 1.5, correct: 9, absoluteErrorSum: 0 };
const summary = {
  population: "watches", task: "activity", phase: "running", stoppedBy: null, trainRoundsCommitted: 3, modelVersion: 3, modelHash: hash,
  openRound: { round: 3, kind: "train", phase: "selecting", assigned: 1, reported: 0, left: 0, goalCount: 10 },
};
const assigned = {
  kind: "assigned", assignment: assignmentExample, token: "t", plan: blob, planSignature: signature, model: blob, reportUrl: "/r", abortUrl: "/a", reportDeadlineMs: 1000,
};

type Message = {
  readonly message: string;
  readonly schema: TSchema;
  readonly example: object;
  /** Signed or strict: an unknown field is refused. Control messages grow by optional fields, so there it is ignored. */
  readonly isStrict: boolean;
  /** Field, hostile value, and where the fault is said to be when it is not the field itself. */
  readonly faults: readonly (readonly [field: string, value: unknown, path?: string])[];
};

const messages: readonly Message[] = [
  { message: "enrolment request", schema: EnrolmentRequestSchema, isStrict: false, example: { publicKey: key, attestation: "a" }, faults: [["publicKey", "short"], ["publicKey", `${key}=`], ["attestation", "a".repeat(32_769)]] },
  { message: "enrolment answer", schema: EnrolmentAnswerSchema, isStrict: false, example: { certificate: { population: "watches", publicKey: key, expiresAtMs: 1, signature } }, faults: [["certificate", { population: "W", publicKey: key, expiresAtMs: 1, signature }, "/certificate/population"], ["certificate", { population: "w", publicKey: key, expiresAtMs: 1, signature, admin: true }, "/certificate/admin"]] },
  { message: "population keys", schema: PopulationKeysSchema, isStrict: false, example: { enrolment: key, plan: key, receipt: key }, faults: [["plan", undefined, "/"]] },
  { message: "check-in request", schema: CheckInRequestSchema, isStrict: false, example: { protocol: 1, sdk: "0.1.0", capabilities: { engines: ["js"], memoryBytes: 1e9, formFactor: "watch" } }, faults: [["protocol", 0], ["protocol", 1.5], ["sdk", ""], ["sdk", "x".repeat(33)], ["capabilities", { engines: [], memoryBytes: 1, formFactor: "watch" }, "/capabilities/engines"], ["capabilities", { engines: ["js"], memoryBytes: Number.NaN, formFactor: "watch" }, "/capabilities/memoryBytes"], ["capabilities", { engines: ["js"], memoryBytes: 1, formFactor: "car" }, "/capabilities/formFactor"]] },
  { message: "check-in answer", schema: CheckInAnswerSchema, isStrict: false, example: { tasks: [offer], retry: { accepted: retry, rejected: retry } }, faults: [["tasks", Array.from({ length: offeredTasksMax + 1 }, () => offer)], ["retry", { accepted: retry }, "/retry"], ["retry", { accepted: retry, rejected: { earliestMs: 0, latestMs: retryWindowMsMax + 1 } }, "/retry/rejected/latestMs"], ["retry", { accepted: { earliestMs: -1, latestMs: 1 }, rejected: retry }, "/retry/accepted/earliestMs"], ["tasks", [{ ...offer, eligibility: { ...offer.eligibility, quiet: true } }], "/tasks/0/eligibility/quiet"]] },
  { message: "assignment request", schema: AssignmentRequestSchema, isStrict: false, example: { population: "watches", task: "activity", protocol: 1, requestId: "A".repeat(22) }, faults: [["population", "Watches"], ["task", "../x"], ["requestId", "A".repeat(21)], ["requestId", `${"A".repeat(21)}/`]] },
  { message: "assignment answer", schema: AssignmentAnswerSchema, isStrict: false, example: assigned, faults: [["kind", "queued", "/kind"], ["assignment", "x"], ["reportDeadlineMs", 0], ["token", ""], ["planSignature", "x"]] },
  { message: "come back", schema: AssignmentAnswerSchema, isStrict: false, example: { kind: "come-back" }, faults: [["kind", "gone", "/kind"]] },
  { message: "abort request", schema: AbortRequestSchema, isStrict: false, example: { reason: "conditions-lost", phases: "cdt", detail: "x" }, faults: [["reason", "bored"], ["phases", "c d"], ["phases", "c".repeat(17)], ["detail", "x".repeat(textCharactersMax + 1)]] },
  { message: "report begin request", schema: ReportBeginRequestSchema, isStrict: false, example: { reportBytes: 100, phases: "cdtT" }, faults: [["reportBytes", 0], ["reportBytes", 2 ** 40], ["phases", "<b>"]] },
  { message: "report begin answer", schema: ReportBeginAnswerSchema, isStrict: false, example: { kind: "goal-reached", retry }, faults: [["retry", undefined, "/"]] },
  { message: "report facts", schema: ReportFactsSchema, isStrict: true, example: { assignment: assignmentExample, examples: 10, metrics, phases: "cdtTu" }, faults: [["examples", 0], ["examples", examplesPerReportMax + 1], ["examples", 1.5], ["assignment", "x"], ["metrics", { ...metrics, lossSum: Number.POSITIVE_INFINITY }, "/metrics/lossSum"], ["metrics", { ...metrics, count: -1 }, "/metrics/count"], ["metrics", { ...metrics, absoluteErrorSum: -1 }, "/metrics/absoluteErrorSum"], ["metrics", { ...metrics, who: "me" }, "/metrics/who"]] },
  { message: "receipt", schema: ReceiptSchema, isStrict: true, example: { assignment: assignmentExample, modelHash: hash, mechanism: "plain", signature }, faults: [["mechanism", "trust"], ["modelHash", hash.toUpperCase()], ["signature", ""]] },
  { message: "plan", schema: PlanSchema, isStrict: true, example: planExample, faults: [["protocol", 0], ["kind", "count"], ["round", -1], ["roundNonce", "00"], ["parameterCount", 0], ["modelHash", 7], ["reportDeadlineMs", 0], ["reportDeadlineMs", Number.NaN], ["sum", { ...sumExample, because: "" }, "/sum/because"], ["sum", { ...sumExample, kind: "none" }, "/sum/kind"], ["sum", { ...sumExample, clipNorm: 0 }, "/sum/clipNorm"], ["sum", { ...sumExample, weightMax: 0 }, "/sum/weightMax"], ["sum", { ...sumExample, secretly: true }, "/sum/secretly"], ["data", { ...planExample.data, examplesMin: 0 }, "/data/examplesMin"], ["eligibility", { ...planExample.eligibility, heldOutFraction: 1.1 }, "/eligibility/heldOutFraction"], ["eligibility", { ...planExample.eligibility, conditions: ["asleep"] }, "/eligibility/conditions/0"]] },
  { message: "task list", schema: TaskListSchema, isStrict: false, example: { tasks: [summary] }, faults: [["tasks", [{ ...summary, phase: "lost" }], "/tasks/0/phase"], ["tasks", [{ ...summary, openRound: undefined }], "/tasks/0/openRound"]] },
  { message: "task detail", schema: TaskDetailSchema, isStrict: false, example: { summary, document: { any: 1 }, rounds: [{ round: 0, kind: "train", outcome: "abandoned", reason: "too-few-reports", assigned: 3, reported: 1, left: 1, phases: { "cdtTu.": 1 }, metrics: null, durationMs: 12.5 }] }, faults: [["rounds", [{ outcome: "fine" }], "/rounds/0"]] },
  { message: "model list", schema: ModelListSchema, isStrict: false, example: { models: [{ version: 1, parent: 0, round: 0, hash, isLatest: true, metrics }] }, faults: [["models", [{ version: -1, parent: 0, round: 0, hash, isLatest: true, metrics }], "/models/0/version"]] },
];

describe.each(messages)("$message", ({ schema, example, isStrict, faults }) => {
  test("its example is decoded as it is, through JSON too", () => {
    expect(decode(schema, example)).toEqual({ ok: true, value: example });
    expect(decodeJson(schema, JSON.stringify(example))).toEqual({ ok: true, value: example });
  });

  test("a field that it does not know is refused where it is strict, and ignored where it may grow", () => {
    expect(decode(schema, { ...example, later: 1 }).ok).toBe(!isStrict);
  });

  test("no field that it requires may be missing, and nothing but an object passes", () => {
    for (const value of [null, [], "x", 1, true, undefined]) expect(decode(schema, value)).toMatchObject({ ok: false, error: { path: "/" } });
    expect(decode(schema, {}).ok).toBe(false);
  });

  test.each(faults.map(([field, value, path]) => ({ field, value, path: path ?? `/${field}` })))("$field as $value is refused with the path of its fault", ({ field, value, path }) => {
    const faulty: Record<string, unknown> = { ...example, [field]: value };
    if (value === undefined) Reflect.deleteProperty(faulty, field);
    const decoded = decode(schema, faulty);
    expect(decoded).toMatchObject({ ok: false, error: { code: "malformed", path } });
    expect(!decoded.ok && decoded.error.expected).not.toBe("");
  });

  test("the server's compiled check judges all of this in the same way", () => {
    const compiled = Compile(schema);
    const values = [example, { ...example, later: 1 }, {}, null, ...faults.map(([field, value]) => ({ ...example, [field]: value }))];
    for (const value of values) expect(compiled.Check(value)).toBe(decode(schema, value).ok);
  });
});

test("text that is no JSON is refused at its root", () => {
  for (const text of ["", "{", "undefined", "{'a':1}", "\u0000"]) expect(parseJson(text)).toMatchObject({ ok: false, error: { path: "/", expected: "JSON" } });
});

describe("what is signed", () => {
  const plan: Plan = planExample;
  const receipt: Receipt = { assignment: assignmentExample, modelHash: hash, mechanism: "plain", signature };
  const certificate = { population: populationName("watches"), publicKey: key, expiresAtMs: 5 };
  const differ = (a: Bytes, b: Bytes): boolean => !equalBytes(a, b);

  test("is the same bytes whatever the order in which the fields were written", () => {
    const reversed = Object.fromEntries(Object.entries(plan).toReversed()) as Plan;
    expect(equalBytes(planBytes(plan), planBytes(reversed))).toBe(true);
    expect(textFromUtf8(planBytes(plan))).toMatchObject({ ok: true });
    expect(decodeJson(PlanSchema, new TextDecoder().decode(planBytes(plan)))).toEqual({ ok: true, value: plan });
  });

  test("changes with every field", () => {
    const otherPlans: Plan[] = [{ ...plan, round: 8 }, { ...plan, task: taskName("other") }, { ...plan, job: null }, { ...plan, sum: { ...plan.sum, clipNorm: 2 } }];
    for (const other of otherPlans) expect(differ(planSignatureBytes(planBytes(other)), planSignatureBytes(planBytes(plan)))).toBe(true);
    expect(differ(receiptBytes(receipt), receiptBytes({ ...receipt, modelHash: "b".repeat(64) as Receipt["modelHash"] }))).toBe(true);
    expect(differ(certificateBytes(certificate), certificateBytes({ ...certificate, expiresAtMs: 6 }))).toBe(true);
  });

  test("leaves the signature out, and can be taken for no other kind of document", () => {
    expect(equalBytes(receiptBytes(receipt), receiptBytes({ ...receipt, signature: "x" } as Receipt))).toBe(true);
    const starts = [planSignatureBytes(planBytes(plan)), receiptBytes(receipt), certificateBytes(certificate)].map((bytes) => String.fromCharCode(...bytes.subarray(0, 16)));
    expect(starts).toEqual(["fl-secagg/1 plan", "tutti/1 receipt{", "tutti/1 certific"]);
  });
});
