import { hexFromBytes, sha256, type Bytes } from "@tutti/base";
import { decodeModelFile, encodeModelFile } from "@tutti/learning";
import { decodeModel, layoutOf } from "@tutti/engine";
import {
  assignmentId, certificateBytes, decodeJson, partsOfAssignment, PlanSchema, planSignatureBytes, receiptBytes, routes, taskName,
  type CheckInAnswer, type EnrolmentAnswer, type Json, type ModelSummary, type PopulationKeys, type Receipt, type TaskDetail, type TaskSummary,
} from "@tutti/protocol";
import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startCoordinator, type RunningCoordinator } from "./start.ts";
import { codeOf, Conversation, population } from "./test/conversation.ts";
import { reportFile } from "./test/report-file.ts";
import { parameterCount, taskDocument } from "./test/task-document.ts";

let coordinator: RunningCoordinator;
let talk: Conversation;
let faults: string[] = [];
beforeEach(async () => {
  faults = [];
  coordinator = await startCoordinator({
    folder: undefined, host: "127.0.0.1", port: 0,
    onEvent: (event) => void (event.kind === "request-failed" || event.kind === "world-failed" ? faults.push(event.cause) : undefined),
  });
  talk = new Conversation(coordinator);
});
afterEach(async () => {
  await coordinator.close();
  // No request of these tests may surprise the coordinator: what it did not expect is a fault of its own.
  expect(faults).toEqual([]);
});

const task = taskName("line");
const checkInBody = { protocol: 1, sdk: "0.1.0", capabilities: { engines: ["js"], memoryBytes: 1e9, formFactor: "watch" } };
const delta = (...values: number[]): Float32Array => Float32Array.from({ length: parameterCount }, (_, i) => values[i] ?? 0);

function isSigned(publicKey: string, signature: string, bytes: Uint8Array): boolean {
  return verify(null, bytes, createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" }), Buffer.from(signature, "base64url"));
}

async function keys(): Promise<PopulationKeys> {
  return (await talk.ask("GET", routes.keys(population))).body as PopulationKeys;
}

async function summary(): Promise<TaskSummary> {
  return ((await talk.operator("GET", routes.task(population, task))).body as TaskDetail).summary;
}

async function detailOnce(isThere: (detail: TaskDetail) => boolean): Promise<TaskDetail> {
  for (;;) {
    const detail = (await talk.operator("GET", routes.task(population, task))).body as TaskDetail;
    if (isThere(detail)) return detail;
  }
}

describe("the walk", () => {
  test("goes from enrolment to a new model, and every signature verifies", async () => {
    await talk.begin(taskDocument());
    const pinned = await keys();
    const publicKey = "A".repeat(43);
    const { certificate } = (await talk.ask("POST", routes.devices(population), { body: { publicKey } })).body as EnrolmentAnswer;
    expect(isSigned(pinned.enrolment, certificate.signature, certificateBytes(certificate))).toBe(true);

    const offered = (await talk.ask("POST", routes.checkIns(population), { body: checkInBody })).body as CheckInAnswer;
    expect(offered.tasks).toMatchObject([{ task, kind: "train", step: 0, sum: { kind: "plain", because: "a test on loopback" } }]);
    for (const { earliestMs, latestMs } of [offered.retry.accepted, offered.retry.rejected]) expect(latestMs).toBeGreaterThan(earliestMs);

    const [one, two] = [await talk.place("1"), await talk.place("2")];
    expect(partsOfAssignment(one.assignment)).toEqual({ round: "demo.line.0", slot: 0 });
    const planBlob = await talk.ask("GET", one.plan.url);
    expect(hexFromBytes(sha256(new TextEncoder().encode(planBlob.text)))).toBe(one.plan.hash);
    expect(isSigned(pinned.plan, one.planSignature, planSignatureBytes(new TextEncoder().encode(planBlob.text)))).toBe(true);
    const plan = decodeJson(PlanSchema, planBlob.text);
    expect(plan).toMatchObject({ ok: true, value: { population, task, round: 0, modelHash: one.model.hash, parameterCount } });
    expect(two.plan.hash).toBe(one.plan.hash);

    expect((await talk.ask("POST", `${one.reportUrl}:begin`, { token: one.token, body: { reportBytes: 500, phases: "cdtTu" } })).body).toEqual({ kind: "go" });
    const [first, second] = await Promise.all([talk.report(one, { delta: delta(0.5), examples: 3 }), talk.report(two, { delta: delta(1, 1), examples: 1 })]);
    for (const [place, answer] of [[one, first], [two, second]] as const) {
      const receipt = answer.body as Receipt;
      expect(receipt).toMatchObject({ assignment: place.assignment, modelHash: one.model.hash, mechanism: "plain" });
      expect(isSigned(pinned.receipt, receipt.signature, receiptBytes(receipt))).toBe(true);
    }
    const { summary: after, rounds } = await detailOnce(({ rounds: closed }) => closed.length === 1);
    expect(after).toMatchObject({ phase: "running", trainRoundsCommitted: 1, modelVersion: 1 });
    expect(rounds).toMatchObject([{ round: 0, outcome: "committed", assigned: 2, reported: 2, left: 0, phases: { "cdtTu.": 2 }, metrics: { count: 8, correct: 6 } }]);

    // w + (3·Δ₁ + 1·Δ₂)/4, from the start that version 0 holds.
    const { models } = (await talk.operator("GET", routes.models(population, task))).body as { models: readonly ModelSummary[] };
    const parametersOf = async (version: number): Promise<readonly number[]> => {
      const hash = models.find((model) => model.version === version)?.hash;
      const bytes = new Uint8Array(await (await fetch(`${coordinator.url}/v1/blobs/${hash ?? ""}`)).arrayBuffer());
      const model = decodeModel(taskDocument().model);
      if (!model.ok) throw new Error(model.error.path);
      const file = decodeModelFile(bytes, layoutOf(model.value));
      return file.ok ? [...file.value] : [];
    };
    const [start, next] = [await parametersOf(0), await parametersOf(1)];
    expect(next).toEqual(start.map((value, i) => Math.fround(value + ([0.625, 0.25][i] ?? 0))));
  });

  test("stops by its rule, and a stopped task offers nothing", async () => {
    await talk.begin(taskDocument({ stop: { rounds: 1 } }));
    const places = [await talk.place("1"), await talk.place("2")];
    await Promise.all(places.map((place) => talk.report(place, { delta: delta() })));
    const { summary: over } = await detailOnce(({ summary: now }) => now.phase === "done");
    expect(over).toMatchObject({ stoppedBy: "rounds", modelVersion: 1, openRound: null });
    const offered = async (): Promise<CheckInAnswer> => (await talk.ask("POST", routes.checkIns(population), { body: checkInBody })).body as CheckInAnswer;
    // An answer is used again for a few milliseconds.
    while ((await offered()).tasks.length > 0);
    expect((await talk.request("3")).body).toEqual({ kind: "come-back" });
    expect(codeOf(await talk.operator("POST", routes.taskAction(population, task, "pause")))).toBe("task-conflict");
  });
});

describe("assignment", () => {
  test("asked again with the same id gives the same place, and with another one the next, until none is free", async () => {
    await talk.begin(taskDocument());
    const [one, again, two] = [await talk.place("1"), await talk.place("1"), await talk.place("2")];
    expect(again.assignment).toBe(one.assignment);
    expect(two.assignment).not.toBe(one.assignment);
    expect((await talk.request("3")).body).toEqual({ kind: "come-back" });
  });

  test("frees the place of a device that gives up, and its old place takes no report", async () => {
    await talk.begin(taskDocument());
    const one = await talk.place("1");
    const left = await talk.ask("POST", one.abortUrl, { token: one.token, body: { reason: "conditions-lost", phases: "cdt" } });
    expect(left.status).toBe(200);
    expect(codeOf(await talk.report(one, { delta: delta(1) }))).toBe("unknown-assignment");
    expect((await talk.request("1")).body).toEqual({ kind: "come-back" });
    const places = [await talk.place("2"), await talk.place("3")];
    await Promise.all(places.map((place) => talk.report(place, { delta: delta() })));
    const { rounds } = await detailOnce(({ rounds: closed }) => closed.length === 1);
    expect(rounds[0]).toMatchObject({ outcome: "committed", assigned: 3, reported: 2, left: 1, phases: { "cdti": 1, "cdtTu.": 2 } });
  });

  test("of a device that speaks a newer protocol is refused with a wait of days", async () => {
    await talk.begin(taskDocument());
    const answer = await talk.ask("POST", routes.checkIns(population), { body: { ...checkInBody, protocol: 2 } });
    expect([answer.status, codeOf(answer)]).toEqual([426, "upgrade-required"]);
    expect((answer.body as { error: { retryAfterMs: number } }).error.retryAfterMs).toBeGreaterThan(24 * 3600 * 1000);
    expect(codeOf(await talk.ask("POST", routes.assignments(), { body: { population, task, protocol: 2, requestId: "A".repeat(22) } }))).toBe("upgrade-required");
  });
});

describe("a round", () => {
  test("with too few reports is abandoned, and the model stays as it was", async () => {
    await talk.begin(taskDocument({ round: { ...taskDocument().round, reportingWindowMs: 150 } }));
    const [one, two] = [await talk.place("1"), await talk.place("2")];
    const before = await summary();
    expect((await talk.report(one, { delta: delta(1) })).status).toBe(200);
    const { summary: after, rounds } = await detailOnce(({ rounds: closed }) => closed.length === 1);
    expect(rounds[0]).toMatchObject({ outcome: "abandoned", reason: "too-few-reports", assigned: 2, reported: 1, metrics: null });
    expect([after.modelVersion, after.modelHash, after.trainRoundsCommitted]).toEqual([0, before.modelHash, 0]);
    expect([codeOf(await talk.report(two, { delta: delta(1) })), (await talk.report(two, { delta: delta(1) })).status]).toEqual(["round-closed", 410]);
  });

  test("with too few devices is abandoned", async () => {
    await talk.begin(taskDocument({ round: { ...taskDocument().round, selectionWindowMs: 100 } }));
    await talk.place("1");
    const { rounds } = await detailOnce(({ rounds: closed }) => closed.length >= 1);
    expect(rounds.at(-1)).toMatchObject({ round: 0, outcome: "abandoned", reason: "too-few-devices", phases: { c: 1 } });
  });

  test("that has its reports tells the others before they upload", async () => {
    const { round } = taskDocument();
    await talk.begin(taskDocument({ round: { ...round, goalCount: 1, overSelection: 2 } }));
    const [one, two] = [await talk.place("1"), await talk.place("2")];
    await talk.report(one, { delta: delta() });
    expect((await talk.ask("POST", `${two.reportUrl}:begin`, { token: two.token, body: { reportBytes: 500, phases: "cdtTu" } })).body).toMatchObject({ kind: "goal-reached" });
  });

  test("of a halted task ends without a model; a paused task opens none until it is resumed", async () => {
    await talk.begin(taskDocument());
    await talk.place("1");
    expect(await talk.operator("POST", routes.taskAction(population, task, "pause"))).toMatchObject({ body: { phase: "paused", openRound: { round: 0 } } });
    expect(await talk.operator("POST", routes.taskAction(population, task, "resume"))).toMatchObject({ body: { phase: "running" } });
    await talk.operator("POST", routes.taskAction(population, task, "halt"));
    const { summary: over, rounds } = await detailOnce(({ rounds: closed }) => closed.length === 1);
    expect(over).toMatchObject({ phase: "halted", modelVersion: 0 });
    expect(rounds[0]).toMatchObject({ outcome: "abandoned", reason: "task-stopped" });
    expect((await talk.request("9")).body).toEqual({ kind: "come-back" });
  });
});

describe("a report", () => {
  test("sent again gets the first receipt byte for byte, also when its round is over; other content is refused", async () => {
    await talk.begin(taskDocument());
    const [one, two] = [await talk.place("1"), await talk.place("2")];
    const first = await talk.report(one, { delta: delta(1) });
    expect((await talk.report(one, { delta: delta(1) })).text).toBe(first.text);
    const other = await talk.report(one, { delta: delta(2) });
    expect([other.status, codeOf(other)]).toEqual([409, "report-conflict"]);
    await talk.report(two, { delta: delta(1) });
    await detailOnce(({ rounds }) => rounds.length === 1);
    expect((await talk.ask("POST", `${one.reportUrl}:begin`, { token: one.token, body: { reportBytes: 500, phases: "cdtTu" } })).body).toEqual({ kind: "go" });
    expect((await talk.report(one, { delta: delta(1) })).text).toBe(first.text);
    expect(codeOf(await talk.report(one, { delta: delta(2) }))).toBe("report-conflict");
    expect((await detailOnce(() => true)).rounds).toMatchObject([{ reported: 2 }]);
  });

  test.each([
    ["of another length", 422, "report-wrong-length", { delta: new Float32Array(parameterCount + 1) }],
    ["with NaN", 422, "report-not-finite", { delta: delta(Number.NaN) }],
    ["with infinity", 422, "report-not-finite", { delta: delta(0, Number.POSITIVE_INFINITY) }],
    ["beyond the clip norm", 422, "report-out-of-range", { delta: delta(2.5) }],
    ["of no example", 400, "malformed", { delta: delta(), examples: 0 }],
  ])("%s is refused and changes nothing", async (_name, status, code, parts) => {
    await talk.begin(taskDocument());
    const one = await talk.place("1");
    const answer = await talk.report(one, parts);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect((await summary()).openRound).toMatchObject({ assigned: 1, reported: 0 });
    // The place is still there for a right one.
    expect((await talk.report(one, { delta: delta() })).status).toBe(200);
  });

  test("with a forged token, with another's, or for another round is refused", async () => {
    await talk.begin(taskDocument());
    const [one, two] = [await talk.place("1"), await talk.place("2")];
    for (const token of ["", "forged", two.token]) {
      const answer = await talk.ask("PUT", one.reportUrl, { token, body: reportFile({ assignment: one.assignment, delta: delta() }) });
      expect([answer.status, codeOf(answer)]).toEqual([401, "token-invalid"]);
    }
    const foreign = await talk.ask("PUT", one.reportUrl, { token: one.token, body: reportFile({ assignment: two.assignment, delta: delta() }) });
    expect([foreign.status, codeOf(foreign)]).toEqual([400, "malformed"]);
    const nowhere = assignmentId(partsOfAssignment(one.assignment).round, 99);
    expect(codeOf(await talk.ask("PUT", routes.report(nowhere), { token: one.token, body: reportFile({ assignment: nowhere, delta: delta() }) }))).toBe("token-invalid");
  });

  test("without a length, too large or of another type is refused before it is read", async () => {
    await talk.begin(taskDocument());
    const one = await talk.place("1");
    const answerTo = async (headers: Readonly<Record<string, string>>): Promise<number | undefined> => {
      const outgoing = request(coordinator.url + one.reportUrl, { method: "PUT", headers: { authorization: `Bearer ${one.token}`, ...headers } });
      outgoing.on("error", () => undefined);
      outgoing.flushHeaders();
      const [response] = (await once(outgoing, "response")) as [{ readonly statusCode?: number }];
      outgoing.destroy();
      return response.statusCode;
    };
    expect(await answerTo({ "content-type": "application/vnd.safetensors", "transfer-encoding": "chunked" })).toBe(411);
    expect(await answerTo({ "content-type": "application/vnd.safetensors", "content-length": String(2 ** 40) })).toBe(413);
    expect(await answerTo({ "content-type": "text/plain", "content-length": "10" })).toBe(415);
  });

  test("whose connection breaks half-way leaves the sum untouched, and may come again", async () => {
    await talk.begin(taskDocument());
    const [one, two] = [await talk.place("1"), await talk.place("2")];
    const file = reportFile({ assignment: one.assignment, delta: delta(1), examples: 1 });
    for (const sentBytes of [0, 1, 100, file.length - 1]) {
      const outgoing = request(coordinator.url + one.reportUrl, {
        method: "PUT", headers: { authorization: `Bearer ${one.token}`, "content-type": "application/vnd.safetensors", "content-length": String(file.length) },
      });
      outgoing.on("error", () => undefined);
      await new Promise<void>((resolve) => outgoing.write(file.subarray(0, sentBytes), () => resolve()));
      outgoing.destroy();
    }
    expect((await talk.ask("PUT", one.reportUrl, { token: one.token, body: file })).status).toBe(200);
    expect((await talk.report(two, { delta: delta(), examples: 1 })).status).toBe(200);
    const { rounds } = await detailOnce(({ rounds: closed }) => closed.length === 1);
    expect(rounds[0]).toMatchObject({ outcome: "committed", reported: 2, metrics: { count: 8 } });
  });

  test("that breaks off when its round is over surprises nobody, and its repeat gets the receipt", async () => {
    await talk.begin(taskDocument());
    const [one, two] = [await talk.place("1"), await talk.place("2")];
    const file = reportFile({ assignment: one.assignment, delta: delta(1) });
    const first = await talk.ask("PUT", one.reportUrl, { token: one.token, body: file });
    await talk.report(two, { delta: delta() });
    await detailOnce(({ rounds }) => rounds.length === 1);
    const outgoing = request(coordinator.url + one.reportUrl, {
      method: "PUT", headers: { authorization: `Bearer ${one.token}`, "content-type": "application/vnd.safetensors", "content-length": String(file.length) },
    });
    outgoing.on("error", () => undefined);
    await new Promise<void>((resolve) => outgoing.write(file.subarray(0, 100), () => resolve()));
    outgoing.destroy();
    expect((await talk.ask("PUT", one.reportUrl, { token: one.token, body: file })).text).toBe(first.text);
  });
});

describe("a blob", () => {
  test("comes whole, in ranges, and not at all where the caller has it", async () => {
    await talk.begin(taskDocument());
    const { model } = await talk.place("1");
    const whole = await talk.ask("GET", model.url);
    expect([whole.status, whole.headers.get("etag"), whole.headers.get("content-length")]).toEqual([200, `"${model.hash}"`, String(model.bytes)]);
    expect(whole.headers.get("cache-control")).toContain("immutable");
    const part = async (range: string): Promise<readonly [number, string | null, string | null]> => {
      const answer = await talk.ask("GET", model.url, { headers: { range } });
      return [answer.status, answer.headers.get("content-range"), answer.headers.get("content-length")];
    };
    expect(await part("bytes=10-19")).toEqual([206, `bytes 10-19/${model.bytes}`, "10"]);
    expect(await part(`bytes=${model.bytes - 5}-`)).toEqual([206, `bytes ${model.bytes - 5}-${model.bytes - 1}/${model.bytes}`, "5"]);
    expect(await part("bytes=-3")).toEqual([206, `bytes ${model.bytes - 3}-${model.bytes - 1}/${model.bytes}`, "3"]);
    expect((await part(`bytes=${model.bytes}-`))[0]).toBe(416);
    for (const ignored of ["bytes=5-2", "lines=1-2", "bytes=1-2,4-5"]) expect((await part(ignored))[0]).toBe(200);
    expect((await talk.ask("GET", model.url, { headers: { "if-none-match": `"${model.hash}"` } })).status).toBe(304);
    expect(codeOf(await talk.ask("GET", `/v1/blobs/${"0".repeat(64)}`))).toBe("unknown-blob");
    expect(codeOf(await talk.ask("GET", "/v1/blobs/..%2f..%2fetc"))).toBe("unknown-blob");
  });
});

describe("hostile messages", () => {
  test.each<[string, string, string, Json | undefined, number, string]>([
    ["an unknown population", "POST", "/v1/populations/nobody/check-ins", checkInBody, 404, "unknown-population"],
    ["a population's name that is none", "POST", "/v1/populations/NO%20/check-ins", checkInBody, 404, "unknown-population"],
    ["a check-in without capabilities", "POST", "/v1/populations/demo/check-ins", { protocol: 1, sdk: "x" }, 400, "malformed"],
    ["a check-in that is a list", "POST", "/v1/populations/demo/check-ins", [], 400, "malformed"],
    ["an assignment of an unknown task", "POST", "/v1/assignments", { population: "demo", task: "none", protocol: 1, requestId: "A".repeat(22) }, 404, "unknown-task"],
    ["an assignment with a short id", "POST", "/v1/assignments", { population: "demo", task: "line", protocol: 1, requestId: "A" }, 400, "malformed"],
    ["an address that is none", "GET", "/v1/secrets", undefined, 404, "not-found"],
    ["an enrolment with a short key", "POST", "/v1/populations/demo/devices", { publicKey: "A" }, 400, "malformed"],
    ["an abort of nothing", "POST", "/v1/assignments/x:abort", { reason: "not-idle", phases: "" }, 404, "unknown-assignment"],
  ])("%s is refused with its code", async (_name, method, path, body, status, code) => {
    await talk.begin(taskDocument());
    const answer = await talk.ask(method, path, body === undefined ? {} : { body });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect((answer.body as { error: { path?: string } }).error.path?.startsWith("/") ?? code !== "malformed").toBe(true);
  });

  test("JSON that is none, and JSON over the limit, are refused", async () => {
    await talk.begin(taskDocument());
    const send = async (body: string): Promise<readonly [number, string]> => {
      const response = await fetch(coordinator.url + routes.checkIns(population), { method: "POST", headers: { "content-type": "application/json" }, body });
      return [response.status, codeOf({ body: await response.json() } as never)];
    };
    for (const broken of ["{", "", "\u0000", '{"protocol":1,}']) expect(await send(broken)).toEqual([400, "malformed"]);
    expect(await send(JSON.stringify({ ...checkInBody, sdk: "x".repeat(70_000) }))).toEqual([413, "body-too-large"]);
    expect(await send('{"__proto__":{"protocol":1}}')).toEqual([400, "malformed"]);
  });

  test("the operators' side opens to its token alone", async () => {
    for (const token of ["", "wrong", `${coordinator.operatorToken}x`]) {
      const answer = await talk.ask("GET", routes.tasks(population), { token });
      expect([answer.status, codeOf(answer)]).toEqual([403, "forbidden"]);
    }
  });
});

describe("a task document", () => {
  const modelWith = (...layers: Json[]): Json => ({ ...(taskDocument().model as object), layers });
  test.each<[string, Json, string]>([
    ["an unknown layer", { model: modelWith({ name: "out", kind: "magic", units: 2 }) }, "/model/layers/0/kind"],
    ["a huge shape", { model: modelWith({ name: "out", kind: "dense", units: 2 ** 40 }) }, "/model/layers/0/units"],
    ["too many parameters", { model: modelWith({ name: "a", kind: "dense", units: 2 ** 14 }, { name: "b", kind: "dense", units: 2 ** 14 }, { name: "out", kind: "dense", units: 2 }) }, "/model/layers"],
    ["a cycle", { model: modelWith({ name: "a", kind: "dense", units: 2, from: ["out"] }, { name: "out", kind: "dense", units: 2 }) }, "/model/layers/0/from"],
    ["another sum", { sum: { kind: "secure" } }, "/sum/kind"],
    ["no reason for being plain", { sum: { kind: "plain", because: "", clipNorm: 1, weightMax: 1 } }, "/sum/because"],
    ["an unknown field", { surprise: 1 }, "/surprise"],
    ["a goal of none", { round: { ...taskDocument().round, goalCount: 0 } }, "/round/goalCount"],
  ])("with %s is refused by its path, and no task is made", async (_name, changes, path) => {
    await talk.operator("PUT", routes.population(population));
    const answer = await talk.operator("POST", routes.tasks(population), { ...taskDocument(), ...(changes as object) });
    expect([answer.status, codeOf(answer), (answer.body as { error: { path: string } }).error.path]).toEqual([400, "malformed", path]);
    expect((await talk.operator("GET", routes.tasks(population))).body).toEqual({ tasks: [] });
  });

  test("sent again changes nothing, and another one of its name is refused", async () => {
    await talk.begin(taskDocument());
    expect((await talk.operator("POST", routes.tasks(population), taskDocument())).status).toBe(200);
    expect(codeOf(await talk.operator("POST", routes.tasks(population), taskDocument({ description: "another" })))).toBe("task-exists");
  });

  test("starts from a model that was uploaded, and from no other file", async () => {
    const model = decodeModel(taskDocument().model);
    if (!model.ok) throw new Error(model.error.path);
    const file = encodeModelFile(Float32Array.of(1, 2, 3, 4, 5, 6), layoutOf(model.value), {});
    await talk.operator("PUT", routes.population(population));
    const create = (blob: string): ReturnType<Conversation["operator"]> => talk.operator("POST", routes.tasks(population), taskDocument({ start: { blob: blob as never } }));
    expect(codeOf(await create("0".repeat(64)))).toBe("unknown-blob");
    const upload = async (bytes: Bytes): Promise<string> => ((await talk.operator("POST", routes.blobs(), bytes)).body as { hash: string }).hash;
    expect(codeOf(await talk.operator("POST", routes.blobs(), new Uint8Array(50)))).toBe("malformed");
    const narrower = decodeModel({ ...(taskDocument().model as object), input: { kind: "features", shape: [1] } });
    if (!narrower.ok) throw new Error(narrower.error.path);
    expect(codeOf(await create(await upload(encodeModelFile(new Float32Array(4), layoutOf(narrower.value), {}))))).toBe("malformed");
    const hash = await upload(file);
    expect((await create(hash)).body).toMatchObject({ modelVersion: 0, modelHash: hash });
  });
});

test("a coordinator off loopback without TLS does not start", async () => {
  await expect(startCoordinator({ folder: undefined, host: "0.0.0.0", port: 0, onEvent: () => undefined })).rejects.toThrow("0.0.0.0 is not loopback");
});

test("a second coordinator on a taken port does not start", async () => {
  const port = Number(new URL(coordinator.url).port);
  await expect(startCoordinator({ folder: undefined, host: "127.0.0.1", port, onEvent: () => undefined })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
});
