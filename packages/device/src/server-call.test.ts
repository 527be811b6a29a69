import { assignmentId } from "@tutti/protocol";
import { expect, test } from "vitest";
import type { HttpAnswer } from "./platform.ts";
import { deviceWorld, worldStart, type DeviceWorld } from "./test/device-world.ts";
import { answer, refusal, retryWindows } from "./test/scripted-coordinator.ts";
import { offer, round } from "./test/scripted-task.ts";

const checkIn = "POST /v1/populations/watches/check-ins";
const put = `PUT /v1/reports/${assignmentId(round, 0)}`;
const minutes = 60_000;

/** Fails the first `count` requests of `call`, and notes when each came. */
function failing(world: DeviceWorld, call: string, count: number, fail: () => HttpAnswer): number[] {
  const times: number[] = [];
  world.coordinator.fault = (_, other) => {
    if (other !== call) return null;
    times.push(world.clock.now() - worldStart);
    return times.length <= count ? fail() : null;
  };
  return times;
}

function disconnected(): HttpAnswer {
  throw new Error("the connection was reset");
}

test("a failed request is tried three times, five seconds apart", async () => {
  const world = await deviceWorld();
  const times = failing(world, checkIn, 2, disconnected);
  expect((await world.device().participate()).ending.kind).toBe("done");
  expect(times).toEqual([0, 5_000, 10_000]);
});

test("after the third failure the device comes again in 15 min ± 20 %, and no earlier", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = await deviceWorld({}, seed);
    const times = failing(world, checkIn, 3, disconnected);
    const { ending, retryAtMs } = await world.device().participate();
    expect(ending).toMatchObject({ kind: "failed", code: "unreachable", detail: "the connection was reset" });
    expect(times).toHaveLength(3);
    const waitMs = retryAtMs - world.clock.now();
    expect(waitMs).toBeGreaterThanOrEqual(12 * minutes);
    expect(waitMs).toBeLessThanOrEqual(18 * minutes);
  }
});

test.for<[string, () => HttpAnswer, number, number]>([
  ["a transient refusal", () => refusal("internal"), 12 * minutes, 18 * minutes],
  ["a permanent refusal", () => refusal("unknown-population"), 192 * minutes, 288 * minutes],
  ["a refusal for good", () => refusal("forbidden"), 192 * minutes, 288 * minutes],
  ["an upgrade in two days", () => refusal("upgrade-required", { retryAfterMs: 2880 * minutes }), 2880 * minutes, 3456 * minutes],
  ["a wait longer than any that the device accepts", () => refusal("overloaded", { retryAfterMs: 1.7e308 }), 43_200 * minutes, 43_200 * minutes],
  ["a proxy's 502 in HTML", () => answer(502, new TextEncoder().encode("<html>")), 12 * minutes, 18 * minutes],
  ["a proxy's 403 in HTML", () => answer(403, new TextEncoder().encode("<html>")), 192 * minutes, 288 * minutes],
  ["an answer that is no JSON", () => answer(200, new TextEncoder().encode("{")), 12 * minutes, 18 * minutes],
  ["an answer that is no UTF-8", () => answer(200, Uint8Array.of(0xff)), 12 * minutes, 18 * minutes],
  ["an answer of another schema", () => answer(200, new TextEncoder().encode("{}")), 12 * minutes, 18 * minutes],
])("%s is not tried again at once, and sets the wait of its class", async ([, fail, leastMs, mostMs]) => {
  const world = await deviceWorld();
  const times = failing(world, checkIn, 1, fail);
  const { ending, retryAtMs } = await world.device().participate();
  expect(ending.kind).toBe("failed");
  expect(times).toEqual([0]);
  expect(retryAtMs - worldStart).toBeGreaterThanOrEqual(leastMs);
  expect(retryAtMs - worldStart).toBeLessThanOrEqual(mostMs);
});

test("a server that is busy for a second is asked again after it, within the same conversation", async () => {
  const world = await deviceWorld();
  const times = failing(world, put, 2, () => refusal("overloaded", { retryAfterMs: 1_000 }));
  expect((await world.device().participate()).ending.kind).toBe("done");
  expect(times).toHaveLength(3);
  for (const waitedMs of times.slice(1).map((at, i) => at - (times[i] ?? 0))) {
    expect(waitedMs).toBeGreaterThanOrEqual(1_000);
    expect(waitedMs).toBeLessThanOrEqual(1_200);
  }
  const bodies = [...world.coordinator.reports.values()].flat();
  expect(bodies).toHaveLength(1);
});

test.for<["permanent" | "never" | "transient", () => HttpAnswer, number, number]>([
  ["never", () => refusal("round-closed"), retryWindows.rejected.earliestMs, retryWindows.rejected.latestMs],
  ["transient", () => refusal("internal"), 12 * minutes, 18 * minutes],
  ["permanent", () => refusal("unknown-task"), 192 * minutes, 288 * minutes],
])("a refusal of class %s with a place in hand sets the moment of its class, or the one drawn at check-in", async ([retry, fail, leastMs, mostMs]) => {
  const world = await deviceWorld();
  failing(world, put, 1, fail);
  const { ending, retryAtMs } = await world.device().participate();
  expect(ending).toMatchObject({ kind: "failed", retry });
  expect(retryAtMs - worldStart).toBeGreaterThanOrEqual(leastMs);
  expect(retryAtMs - worldStart).toBeLessThanOrEqual(mostMs);
});

test("an answer over the limit is given up before its end is read", async () => {
  const world = await deviceWorld();
  let chunkCount = 0;
  let isFreed = false;
  world.coordinator.fault = (_, call) => (call !== checkIn ? null : {
    status: 200, header: () => undefined,
    body: (async function* () {
      try {
        for (;;) {
          chunkCount++;
          await Promise.resolve();
          yield new Uint8Array(16 * 1024);
        }
      } finally {
        isFreed = true;
      }
    })(),
  });
  expect((await world.device().participate()).ending).toMatchObject({ kind: "failed", code: "answer-too-large" });
  // 64 KiB are four chunks of 16 KiB: the fifth is over.
  expect({ chunkCount, isFreed }).toEqual({ chunkCount: 5, isFreed: true });
});

test.for<[string, string]>([
  ["without TLS", "http://elsewhere.example"],
  ["that continues the coordinator's name", ".elsewhere.example"],
  ["of another scheme", "javascript://elsewhere.example"],
])("a report's address %s is not followed: neither capability nor report leaves", async ([, reportHost]) => {
  const world = await deviceWorld({ reportHost });
  expect((await world.device().participate()).ending).toMatchObject({ kind: "failed", code: "address-refused" });
  expect(world.coordinator.calls.filter((call) => call.includes("reports"))).toEqual([]);
});

test("a report goes to another host of the coordinator's choice, with TLS", async () => {
  const world = await deviceWorld({ reportHost: "https://aggregator.example" });
  const hosts = new Set<string>();
  world.coordinator.fault = (request) => {
    hosts.add(new URL(request.url).origin);
    return null;
  };
  expect((await world.device().participate()).ending.kind).toBe("done");
  expect([...hosts]).toEqual(["https://coordinator.example", "https://aggregator.example"]);
});

test("a check-in tells what the device can do and nothing that tells it from its kind", async () => {
  const world = await deviceWorld();
  const bodies: string[] = [];
  world.coordinator.fault = ({ body }, call) => {
    if (call === checkIn) bodies.push(new TextDecoder().decode(body ?? undefined));
    return null;
  };
  await world.device().participate();
  await world.device().participate();
  expect(bodies[0]).toBe(bodies[1]);
  expect(JSON.parse(bodies[0] ?? "")).toEqual({ protocol: 1, sdk: "0.1.0", capabilities: { engines: ["js"], memoryBytes: 2 ** 20, formFactor: "watch" } });
});

test("each assignment is asked for with an id of its own", async () => {
  const world = await deviceWorld({ hasPlace: true, checkIn: { tasks: [offer], retry: retryWindows } });
  await world.device().participate();
  await world.device().participate();
  expect(world.coordinator.places.size).toBe(2);
});
