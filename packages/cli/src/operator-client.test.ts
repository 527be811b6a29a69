import { hexFromBytes, sha256, sha256Hex, utf8FromText } from "@tutti/base";
import { populationName } from "@tutti/protocol";
import { createServer, type RequestListener, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { CommandFailure } from "./failure.ts";
import { OperatorClient } from "./operator-client.ts";

const demo = populationName("demo");
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach(stop));

function stop(server: Server): void {
  server.closeAllConnections();
  server.close();
}

/** A client of a server that need not be a coordinator at all. */
async function clientOf(listener: RequestListener): Promise<OperatorClient> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new OperatorClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, token: "secret" });
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  const cause: unknown = await work.then(() => "it did not fail", (error: unknown) => error);
  expect(cause).toBeInstanceOf(CommandFailure);
  return cause instanceof CommandFailure ? cause.message : "";
}

test("the token travels in the header, never in the address", async () => {
  const seen: unknown[] = [];
  const client = await clientOf((request, response) => {
    seen.push([request.method, request.url, request.headers.authorization]);
    response.end(JSON.stringify({ tasks: [] }));
  });
  await client.tasks(demo);
  expect(seen).toEqual([["GET", "/v1/operator/populations/demo/tasks", "Bearer secret"]]);
});

test("an answer of another shape is refused with the place of the fault", async () => {
  const client = await clientOf((_, response) => response.end(JSON.stringify({ tasks: "none" })));
  expect(await failureOf(client.tasks(demo))).toContain("/tasks: expected");
});

test("a refusal is passed on in the server's own words, with its code and field", async () => {
  const body = { error: { code: "malformed", retry: "never", message: "rounds must be >= 1", path: "/stop/rounds" } };
  const client = await clientOf((_, response) => response.writeHead(400).end(JSON.stringify(body)));
  expect(await failureOf(client.createTask(demo, {}))).toBe("malformed: rounds must be >= 1 (at /stop/rounds)");
});

test("an error page of something else is told by its status alone", async () => {
  const client = await clientOf((_, response) => response.writeHead(502).end("<html>Bad gateway</html>"));
  expect(await failureOf(client.tasks(demo))).toBe("the coordinator answered with status 502");
});

test("a blob whose content is another's is refused", async () => {
  const client = await clientOf((_, response) => response.end("other bytes"));
  expect(await failureOf(client.blob(sha256Hex("0".repeat(64))))).toContain("came with other content");
});

test("a blob whose content matches its hash comes through", async () => {
  const bytes = utf8FromText("the model");
  const client = await clientOf((_, response) => response.end(bytes));
  expect(await client.blob(sha256Hex(hexFromBytes(sha256(bytes))))).toEqual(bytes);
});

test("an answer that never ends is left at the limit", async () => {
  const client = await clientOf((_, response) => {
    const chunk = Buffer.alloc(1 << 20);
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", pour);
    pour();
  });
  expect(await failureOf(client.tasks(demo))).toContain("an answer of more than");
});

test("an address where nobody listens is named", async () => {
  const client = await clientOf((_, response) => response.end());
  const [server] = servers.splice(0);
  expect(server).toBeDefined();
  if (server !== undefined) stop(server);
  expect(await failureOf(client.tasks(demo))).toMatch(/^http:\/\/127\.0\.0\.1:\d+: no coordinator answers/);
});
