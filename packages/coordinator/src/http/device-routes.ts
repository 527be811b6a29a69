import { isSha256Hex } from "@tutti/base";
import {
  AbortRequestSchema,
  AssignmentRequestSchema,
  CheckInRequestSchema,
  contentTypes,
  EnrolmentRequestSchema,
  firstFault,
  isAssignmentId,
  isName,
  populationName,
  ReportBeginRequestSchema,
  vectorBytesMax,
  type AssignmentId,
} from "@tutti/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { Coordinator } from "../coordinator.ts";
import { abort } from "../handlers/abort.ts";
import { assign } from "../handlers/assignment.ts";
import { sendBlob, type BlobAnswer } from "../handlers/blob.ts";
import { checkIn } from "../handlers/check-in.ts";
import { enrol } from "../handlers/enrolment.ts";
import { beginReport, receiveReport } from "../handlers/report.ts";
import { drainedBytesMax } from "../limits.ts";
import { isRefusal, malformed, refuse, type Refusal } from "../refusal.ts";
import { answer, bearerToken, sendRefusal } from "./answer.ts";
import type { PopulationRun } from "../population-run.ts";

/** A year, as caches count it: a blob never changes under its hash. */
const immutable = "public, max-age=31536000, immutable";

/** The device protocol, step by step, in the order of device-protocol.md. */
export function addDeviceRoutes(app: FastifyInstance, coordinator: Coordinator): void {
  const enrolment = compiled(EnrolmentRequestSchema);
  app.post("/v1/populations/:population/devices", async (request, reply) => answer(reply, inPopulation(coordinator, request, (population) => enrolment(request.body, (body) => enrol(population, body)))));
  app.get("/v1/populations/:population/keys", async (request, reply) => answer(reply, inPopulation(coordinator, request, (population) => population.keys)));

  const checkInRequest = compiled(CheckInRequestSchema);
  app.post("/v1/populations/:population/check-ins", async (request, reply) => answer(reply, inPopulation(coordinator, request, (population) => checkInRequest(request.body, (body) => checkIn(population, body)))));

  const assignmentRequest = compiled(AssignmentRequestSchema);
  app.post("/v1/assignments", async (request, reply) => {
    const outcome = assignmentRequest(request.body, (body) => {
      const population = coordinator.population(body.population);
      return population === undefined ? refuse("unknown-population") : assign(population, body);
    });
    return answer(reply, await outcome);
  });

  app.get("/v1/blobs/:hash", async (request, reply) => {
    const { hash } = request.params as { hash: string };
    if (!isSha256Hex(hash)) return sendRefusal(reply, refuse("unknown-blob"));
    const { range, "if-none-match": ifNoneMatch } = request.headers;
    const blob = await sendBlob(coordinator.ports.blobs, { hash, range, ifNoneMatch });
    return isRefusal(blob) ? sendRefusal(reply, blob) : sendBytes(reply, hash, blob);
  });

  const beginRequest = compiled(ReportBeginRequestSchema);
  app.post("/v1/reports/:assignment([^:]+)::begin", async (request, reply) => {
    const outcome = ofAssignment(request, (assignment, token) => beginRequest(request.body, (body) => beginReport(coordinator, assignment, token, body)));
    return answer(reply, await outcome);
  });
  app.put("/v1/reports/:assignment", async (request, reply) => {
    const outcome = await putReport(coordinator, request);
    if (isRefusal(outcome) && !isDrained(request)) reply.header("connection", "close");
    return answer(reply, outcome);
  });

  const abortRequest = compiled(AbortRequestSchema);
  app.post("/v1/assignments/:assignment([^:]+)::abort", async (request, reply) => {
    const outcome = ofAssignment(request, (assignment, token) => abortRequest(request.body, (body) => abort(coordinator, assignment, token, body)));
    return answer(reply, await outcome);
  });
}

async function putReport(coordinator: Coordinator, request: FastifyRequest): Promise<object> {
  const length = request.headers["content-length"];
  if (length === undefined) return refuse("length-required");
  const bodyBytes = Number(length);
  if (bodyBytes > vectorBytesMax) return refuse("body-too-large", { detail: `At most ${vectorBytesMax} bytes.` });
  if (request.headers["content-type"] !== contentTypes.safetensors) return refuse("unsupported-media-type", { detail: `Expected ${contentTypes.safetensors}.` });
  return ofAssignment(request, (assignment, token) => receiveReport(coordinator, { assignment, token, bodyBytes, body: request.raw }));
}

/** Node reads the rest of a refused body before the connection is used again: not worth it for a long one. */
function isDrained({ raw, headers }: FastifyRequest): boolean {
  return raw.readableEnded || Number(headers["content-length"] ?? 0) <= drainedBytesMax;
}

/** A checker generated once from `schema`; only the server may generate code. */
function compiled<T extends TSchema>(schema: T): <A>(value: unknown, then: (body: Static<T>) => A) => A | Refusal {
  const checker = Compile(schema);
  return (value, then) => (checker.Check(value) ? then(value) : malformed(firstFault(schema, value)));
}

function inPopulation<A>(coordinator: Coordinator, request: FastifyRequest, then: (population: PopulationRun) => A): A | Refusal {
  const { population: name } = request.params as { population: string };
  const population = isName(name) ? coordinator.population(populationName(name)) : undefined;
  return population === undefined ? refuse("unknown-population") : then(population);
}

function ofAssignment<A>(request: FastifyRequest, then: (assignment: AssignmentId, token: string) => A): A | Refusal {
  const { assignment } = request.params as { assignment: string };
  if (!isAssignmentId(assignment)) return refuse("unknown-assignment");
  return then(assignment, bearerToken(request));
}

function sendBytes(reply: FastifyReply, hash: string, blob: BlobAnswer): FastifyReply {
  reply.header("etag", `"${hash}"`).header("cache-control", immutable).header("accept-ranges", "bytes");
  if (blob.kind === "not-modified") return reply.code(304).send();
  if (blob.status === 206) reply.header("content-range", `bytes ${blob.start}-${blob.start + blob.bytes.length - 1}/${blob.totalBytes}`);
  return reply.code(blob.status).type("application/octet-stream").send(blob.bytes);
}
