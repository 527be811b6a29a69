import { contentTypes, routes, taskName } from "@tutti/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { startCoordinator, type RunningCoordinator } from "../start.ts";
import { Conversation, population } from "../test/conversation.ts";
import { taskDocument } from "../test/task-document.ts";

const page = "https://app.example";
const checkIn = { protocol: 1, sdk: "0.1.0", capabilities: { engines: ["js"], memoryBytes: 1e9, formFactor: "watch" } };

let running: RunningCoordinator | undefined;
afterEach(() => running?.close());

async function talkTo(allowOrigins: readonly string[]): Promise<Conversation> {
  running = await startCoordinator({ folder: undefined, host: "127.0.0.1", port: 0, allowOrigins, onEvent: () => undefined });
  const talk = new Conversation(running);
  await talk.begin(taskDocument());
  return talk;
}

function preflight(talk: Conversation, path: string, origin: string): ReturnType<Conversation["ask"]> {
  return talk.ask("OPTIONS", path, { headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "authorization,content-type" } });
}

/** Every kind of address that a device asks. */
async function deviceAddresses(talk: Conversation): Promise<readonly string[]> {
  const { assignment, reportUrl, abortUrl, plan } = await talk.place("1");
  return [routes.devices(population), routes.checkIns(population), routes.assignments(), plan.url, reportUrl, `${reportUrl}:begin`, abortUrl, routes.abort(assignment)];
}

describe("a page of an allowed origin", () => {
  test("may send what a device sends to every address that a device asks", async () => {
    const talk = await talkTo(["https://other.example", page]);
    for (const address of await deviceAddresses(talk)) {
      const { status, headers } = await preflight(talk, address, page);
      expect([address, status, headers.get("access-control-allow-origin")]).toEqual([address, 204, page]);
      expect(headers.get("access-control-allow-headers")).toBe("authorization, content-type, range");
      expect(headers.get("access-control-allow-methods")).toBe("GET, POST, PUT");
    }
  });

  test("may read answers and refusals alike, and the headers that a device needs", async () => {
    const talk = await talkTo([page]);
    const headers = { origin: page };
    const answers = [
      await talk.ask("POST", routes.checkIns(population), { body: checkIn, headers }),
      await talk.ask("POST", routes.checkIns(population), { body: { protocol: "x" }, headers }),
      await talk.ask("PUT", "/v1/reports/demo.line.0.0", { headers: { ...headers, "content-type": contentTypes.safetensors } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 401]);
    for (const answer of answers) {
      expect(answer.headers.get("access-control-allow-origin")).toBe(page);
      expect(answer.headers.get("access-control-expose-headers")).toBe("content-range, etag, retry-after");
      expect(answer.headers.get("vary")).toBe("Origin");
    }
  });

  test("gets no operators' answer that it could read, with or without the token", async () => {
    const talk = await talkTo([page, "*"]);
    for (const path of [routes.tasks(population), routes.taskAction(population, taskName("line"), "halt")]) {
      expect((await preflight(talk, path, page)).headers.get("access-control-allow-origin")).toBeNull();
      expect((await talk.ask("GET", path, { headers: { origin: page }, token: running?.operatorToken ?? "" })).headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});

test("a page of another origin may read nothing, were its origin a part of an allowed one", async () => {
  const talk = await talkTo([page]);
  for (const origin of ["https://evil.example", "https://app.example.evil", "http://app.example", "https://app.example:444", "null"]) {
    expect((await preflight(talk, routes.checkIns(population), origin)).headers.get("access-control-allow-origin")).toBeNull();
    const { status, headers } = await talk.ask("POST", routes.checkIns(population), { body: checkIn, headers: { origin } });
    expect([status, headers.get("access-control-allow-origin")]).toEqual([200, null]);
  }
});

test("where no origin is allowed, no answer speaks of origins", async () => {
  const talk = await talkTo([]);
  const { headers } = await talk.ask("POST", routes.checkIns(population), { body: checkIn, headers: { origin: page } });
  expect([headers.get("access-control-allow-origin"), headers.get("vary")]).toEqual([null, null]);
  expect((await preflight(talk, routes.checkIns(population), page)).status).toBe(404);
});

test("\"*\" allows every page, and answers may be shared by caches", async () => {
  const talk = await talkTo(["*"]);
  const { headers } = await talk.ask("POST", routes.checkIns(population), { body: checkIn, headers: { origin: "https://any.example" } });
  expect([headers.get("access-control-allow-origin"), headers.get("vary")]).toEqual(["*", null]);
});
