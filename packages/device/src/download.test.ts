import { createHash } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { sha256Hex } from "@tutti/base";
import { populationName } from "@tutti/protocol";
import { expect, test } from "vitest";
import { download } from "./download.ts";
import { inProcessTrainer, NodeDatabase, nodeFetch, nodePlatform, processLock, settableConditions } from "./node/index.ts";
import { defaultPolicy } from "./policy.ts";

const blob = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
const hash = sha256Hex(createHash("sha256").update(blob).digest("hex"));

async function downloadFrom(listener: RequestListener, bytes = blob.length): Promise<Awaited<ReturnType<typeof download>>> {
  const server = createServer(listener);
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
    });
  });
  const shared = { database: new NodeDatabase(":memory:"), fetch: nodeFetch(), trainer: inProcessTrainer(), lock: processLock() };
  const conditions = settableConditions({ idle: true, charging: true, unmetered: true, consent: true });
  const context = {
    population: populationName("p"), coordinatorUrl: `http://127.0.0.1:${port}`, keys: { enrolment: "", plan: "", receipt: "" }, formFactor: "other" as const, cohort: null,
    platform: nodePlatform("d", shared, conditions), policy: { ...defaultPolicy, delays: { ...defaultPolicy.delays, requestPauseMs: 0 } },
  };
  try {
    return await download(context, { hash, bytes, url: "/blob" }, blob.length, new AbortController().signal);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("a download that breaks off goes on from the byte where it broke", async () => {
  const ranges: (string | undefined)[] = [];
  const outcome = await downloadFrom((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from === 0 ? 200 : 206, { "content-length": blob.length - from, "content-range": `bytes ${from}-${blob.length - 1}/${blob.length}` });
    if (from > 0) response.end(blob.subarray(from));
    else response.write(blob.subarray(0, 40_000), () => setImmediate(() => response.destroy()));
  });
  expect(outcome.ok && outcome.value).toEqual(blob);
  expect(ranges).toHaveLength(2);
  expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
});

test("a blob of the right length and other content is refused by its hash", async () => {
  const outcome = await downloadFrom((_, response) => response.end(new Uint8Array(blob.length)));
  expect(outcome).toMatchObject({ ok: false, error: { kind: "aborted", reason: "blob-hash-differs" } });
});

test("a blob longer than its reference is refused before its end is read", async () => {
  const outcome = await downloadFrom((_, response) => response.end(blob), 50_000);
  expect(outcome).toMatchObject({ ok: false, error: { kind: "aborted", reason: "blob-hash-differs" } });
});

test("a server that only answers 503 ends in a named abort", async () => {
  const outcome = await downloadFrom((_, response) => response.writeHead(503).end());
  expect(outcome).toMatchObject({ ok: false, error: { kind: "aborted", reason: "download-failed", detail: "HTTP status 503" } });
});

test("a blob that the server does not have is asked for once", async () => {
  let requestCount = 0;
  const outcome = await downloadFrom((_, response) => {
    requestCount++;
    response.writeHead(404).end();
  });
  expect(outcome).toMatchObject({ ok: false, error: { kind: "aborted", reason: "download-failed", detail: "HTTP status 404" } });
  expect(requestCount).toBe(1);
});
