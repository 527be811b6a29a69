// One server per process, so that its CPU time is its own: argv[2] names the kind. Tells its URL, and
// its CPU milliseconds and resident memory whenever the parent asks.
import { systemClock, systemRandom } from "@tutti/base/node";
import { Coordinator, createHttpServer, memoryBlobs, memoryStore, startCoordinator, type Aggregator } from "@tutti/coordinator";
import { AssignmentRequestSchema, CheckInRequestSchema, contentTypes } from "@tutti/protocol";
import Fastify, { type FastifyInstance } from "fastify";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Compile } from "typebox/compile";

export type ServerKind = "coordinator" | "dropping-coordinator" | "bare-json" | "bare-drop";
export type ServerReady = { readonly url: string; readonly operatorToken: string };
export type ServerUse = { readonly cpuMs: number; readonly residentBytes: number };

const kind = process.argv[2];
process.send?.(await ready());
process.on("SIGTERM", () => process.exit(0));
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  process.send?.({ cpuMs: (user + system) / 1000, residentBytes: process.memoryUsage.rss() } satisfies ServerUse);
});

function ready(): Promise<ServerReady> {
  if (kind === "coordinator") return coordinator();
  if (kind === "dropping-coordinator") return droppingCoordinator();
  return fastify(kind === "bare-json" ? bareJson() : bareDrop());
}

async function coordinator(): Promise<ServerReady> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const { url, operatorToken } = await startCoordinator({ folder, host: "127.0.0.1", port: 0, onEvent: () => undefined });
  return { url, operatorToken };
}

async function fastify(app: FastifyInstance): Promise<ServerReady> {
  return { url: await app.listen({ host: "127.0.0.1", port: 0 }), operatorToken: "" };
}

/** The same server, route, capability and receipt, with a sum that reads each body and drops it. */
async function droppingCoordinator(): Promise<ServerReady> {
  const operatorToken = "bench";
  const ports = { store: memoryStore(), blobs: memoryBlobs(), aggregator: droppingAggregator(), clock: systemClock, random: systemRandom, onEvent: () => undefined };
  const open = await Coordinator.open(ports);
  open.run();
  const app = createHttpServer(open, { operatorToken });
  return { url: await app.listen({ host: "127.0.0.1", port: 0 }), operatorToken };
}

function droppingAggregator(): Aggregator {
  return {
    keepOnly: () => Promise.resolve(),
    open: ({ onCounted }) => Promise.resolve({
      countedCount: 0,
      has: () => false,
      beginUpload: ({ slot }) => ({
        write: () => undefined,
        finish: () => {
          onCounted(slot);
          return Promise.resolve({ kind: "counted" });
        },
        discard: () => undefined,
      }),
      close: () => Promise.reject(new Error("the bench's round never ends")),
      letGo: () => undefined,
      discard: () => Promise.resolve(),
    }),
  };
}

/** The limit that check-ins are held against: the same bodies parsed and validated, a small answer, nothing else. */
function bareJson(): FastifyInstance {
  const app = Fastify();
  const checkIn = Compile(CheckInRequestSchema);
  const assignment = Compile(AssignmentRequestSchema);
  app.post("/v1/populations/:population/check-ins", async (request, reply) => reply.code(checkIn.Check(request.body) ? 200 : 400).send({ ok: true }));
  app.post("/v1/assignments", async (request, reply) => reply.code(assignment.Check(request.body) ? 200 : 400).send({ ok: true }));
  return app;
}

/** What HTTP alone costs: a bare route that reads the body to its end and drops it. */
function bareDrop(): FastifyInstance {
  const app = Fastify();
  app.addContentTypeParser(contentTypes.safetensors, (_request, payload, done) => done(null, payload));
  app.put("/v1/reports/:assignment", async (request, reply) => {
    let bytes = 0;
    for await (const chunk of request.raw) bytes += (chunk as Uint8Array).length;
    return reply.send({ bytes });
  });
  return app;
}
