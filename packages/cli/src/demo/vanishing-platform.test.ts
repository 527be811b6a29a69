import { durationMs } from "@tutti/base";
import type { HttpRequest, Platform, TrainingWork } from "@tutti/device";
import { inProcessTrainer, NodeDatabase, nodeFetch, nodePlatform, processLock, settableConditions } from "@tutti/device/node";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { vanishingPlatform, type VanishingPlatform } from "./vanishing-platform.ts";
import { vanishingSteps, type VanishingStep } from "./vanishing-schedule.ts";

const place = {
  kind: "assigned", assignment: "demo.watch.5.3", token: "t", planSignature: "A".repeat(86), reportUrl: "/v1/reports/demo.watch.5.3",
  abortUrl: "/v1/assignments/demo.watch.5.3:abort", reportDeadlineMs: 1000,
  plan: { hash: "0".repeat(64), bytes: 1, url: "/v1/blobs/0" }, model: { hash: "1".repeat(64), bytes: 1, url: "/v1/blobs/1" },
};

let server: Server;
let requests: string[] = [];
beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    request.resume();
    response.end(JSON.stringify(place));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function platformOf(): Platform {
  const conditions = settableConditions({ idle: true, charging: true, unmetered: true, consent: true });
  return nodePlatform("one", { database: new NodeDatabase(":memory:"), fetch: nodeFetch(1), trainer: inProcessTrainer(), lock: processLock() }, conditions);
}

async function exchange(platform: Platform, method: HttpRequest["method"], path: string): Promise<void> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const answer = await platform.fetch({ method, url, headers: {}, body: null, signal: new AbortController().signal });
  for await (const chunk of answer.body) expect(chunk.length).toBeGreaterThan(0);
}

const work: TrainingWork = {
  model: {
    input: { kind: "features", shape: [1] }, target: { kind: "classes", shape: [], classCount: 2 },
    layers: [{ name: "out", kind: "dense", from: ["input"], units: 2, bias: true }], loss: { kind: "softmax-cross-entropy", ignoreIndex: null }, metrics: [],
  },
  job: {
    batchSize: 1, epochCount: 1, exampleOrder: "as-given", stepCountLimit: null, timeLimitMs: null, proximalTerm: 0, clip: null, frozen: [], personal: [],
    start: new Float32Array(4), shuffleSeed: 1, correction: null,
    optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 },
  },
  examples: { exampleCount: 1, inputs: new Float32Array([1]), targets: new Int32Array([1]) },
};

/** A participation in the order of its steps, each with what it asks of the platform. */
async function participation({ platform }: VanishingPlatform, reached: string[]): Promise<"done"> {
  await exchange(platform, "POST", "/v1/assignments");
  reached.push("assigned");
  await exchange(platform, "GET", "/v1/blobs/0");
  reached.push("downloading");
  await platform.trainer.train(work, new AbortController().signal);
  reached.push("training", "trained");
  await exchange(platform, "PUT", "/v1/reports/demo.watch.5.3");
  reached.push("uploading");
  return "done";
}

test.each(vanishingSteps)("a device that vanishes at the step %s gets no further and says no word about it", async (step: VanishingStep) => {
  const reached: string[] = [];
  const one = vanishingPlatform(platformOf(), (held) => (held.round === 5 && held.slot === 3 ? step : undefined));
  const end = await Promise.race([participation(one, reached), one.vanished]);
  expect(end).toEqual({ round: 5, step });
  expect(reached).not.toContain(step);
  const sent = requests.length;
  const abort = exchange(one.platform, "POST", place.abortUrl);
  const wait = one.platform.clock.sleep(durationMs(0));
  const alive = platformOf();
  // A living device's exchange has come back, and the vanished one's has not even been sent.
  await exchange(alive, "POST", "/v1/alive");
  expect(await Promise.race([abort, wait, Promise.resolve("nothing")])).toBe("nothing");
  expect(requests.slice(sent).filter((line) => line.includes("abort"))).toEqual([]);
});

test("a device whose place is not doomed goes through, and its platform answers as before", async () => {
  const reached: string[] = [];
  const one = vanishingPlatform(platformOf(), () => undefined);
  expect(await Promise.race([participation(one, reached), one.vanished])).toBe("done");
  expect(reached).toEqual(["assigned", "downloading", "training", "trained", "uploading"]);
});

test("what a vanished device had stored is there for the device that starts again", async () => {
  const platform = platformOf();
  const one = vanishingPlatform(platform, () => "assigned");
  await one.platform.store.write([{ kind: "put-record", key: "certificate", value: "kept" }]);
  await Promise.race([participation(one, []), one.vanished]);
  expect(await vanishingPlatform(platform, () => undefined).platform.store.record("certificate")).toBe("kept");
});
