// What a coordinator costs: CPU per check-in with its durable assignment, CPU per report with its
// durable exact sum, memory while ten thousand devices hold a place.
import { fork, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { bytesFromFloat32, contentTypes, encodeSafetensors, populationName, reportFactsKey, reportTensorName, routes, taskName, type AssignmentAnswer, type TaskDocument } from "@tutti/protocol";
import { benchRow, mediansOfRuns, type BenchRow } from "./bench.ts";
import type { ServerKind, ServerReady, ServerUse } from "./coordinator/server.ts";

const runCount = 7;
const checkInsPerRun = 3000;
const reportsPerRun = 400;
/** Devices that speak at the same time. */
const inFlight = 128;
const assignedDevices = 10_000;
/** 1000 → 100: 100 100 parameters, a report of 400 KB. */
const inputs = 1000;
const outputs = 100;
const parameterCount = inputs * outputs + outputs;
const population = populationName("bench");

type Server = { readonly process: ChildProcess; readonly url: string; readonly operatorToken: string; readonly agent: Agent };

export async function* rows(): AsyncGenerator<BenchRow> {
  const ours = await start("coordinator");
  const bareJson = await start("bare-json");
  const dropping = await start("dropping-coordinator");
  const bareDrop = await start("bare-drop");
  const fresh = await start("coordinator");
  try {
    await prepare(ours);
    await prepare(dropping);
    const [checkIns = Number.NaN, bareCheckIns = Number.NaN] = await mediansOfRuns(runCount, [() => checkInsPerCpuSecond(ours), () => checkInsPerCpuSecond(bareJson)]);
    yield benchRow({ name: "durable check-ins with assignment", value: checkIns, unit: "per CPU second", reference: bareCheckIns, target: { kind: "ratio-at-least", bound: 0.8 } });
    const [reports = Number.NaN, dropped = Number.NaN, bare = Number.NaN] = await mediansOfRuns(runCount, [ours, dropping, bareDrop].map((server) => () => cpuMsPerReport(server)));
    const name = `report of ${Math.round((4 * parameterCount) / 1000)} KB in the durable exact sum`;
    yield benchRow({ name, value: reports, unit: "CPU ms", reference: dropped, target: { kind: "ratio-at-most", bound: 1.5 } });
    // No target of its own: how far the whole is from a route that knows neither tokens nor receipts.
    yield benchRow({ name: "  the same, beside a bare route that drops it", value: reports, unit: "CPU ms", reference: bare, target: { kind: "ratio-at-most", bound: 3 } });
    // A coordinator of its own: the other one holds some 24 000 devices of the rows above, and their staging buffers.
    await prepare(fresh);
    const memory = await memoryWithAssigned(fresh);
    yield benchRow({ name: `memory with ${assignedDevices} assigned devices`, value: memory, unit: "MB", reference: 300, target: { kind: "value-at-most", bound: 300 } });
  } finally {
    for (const server of [ours, bareJson, dropping, bareDrop, fresh]) server.process.kill();
  }
}

async function start(kind: ServerKind): Promise<Server> {
  const child = fork(join(import.meta.dirname, "coordinator", "server.ts"), [kind], { execArgv: ["--conditions=@tutti/source", "--expose-gc"] });
  const failed = once(child, "exit").then(() => Promise.reject(new Error(`the ${kind} server did not start`)));
  failed.catch(() => undefined);
  const [ready] = (await Promise.race([once(child, "message"), failed])) as [ServerReady];
  return { process: child, ...ready, agent: new Agent({ keepAlive: true, maxSockets: inFlight }) };
}

async function use(server: Server): Promise<ServerUse> {
  server.process.send("use");
  const [answer] = (await once(server.process, "message")) as [ServerUse];
  return answer;
}

/** Check-ins, each followed by its assignment, per second of the server's own CPU time. */
async function checkInsPerCpuSecond(server: Server): Promise<number> {
  const before = await use(server);
  await inParallel(checkInsPerRun, async () => {
    await checkInAndAssign(server);
  });
  const after = await use(server);
  return (1000 * checkInsPerRun) / (after.cpuMs - before.cpuMs);
}

async function cpuMsPerReport(server: Server): Promise<number> {
  const assigned = server.operatorToken === "" ? undefined : await places(server, reportsPerRun);
  const bodies = Array.from({ length: reportsPerRun }, (_, i) => reportBody(assigned?.[i]?.assignment ?? `bench.${task.name}.0.${i}`));
  const before = await use(server);
  await inParallel(reportsPerRun, async (i) => {
    const place = assigned?.[i];
    const path = place?.reportUrl ?? "/v1/reports/dropped";
    await send(server, "PUT", path, bodies[i] ?? Buffer.alloc(0), { "content-type": contentTypes.safetensors, authorization: `Bearer ${place?.token ?? ""}` });
  });
  const after = await use(server);
  return (after.cpuMs - before.cpuMs) / reportsPerRun;
}

async function memoryWithAssigned(server: Server): Promise<number> {
  await inParallel(assignedDevices, async () => {
    await checkInAndAssign(server);
  });
  return (await use(server)).residentBytes / 1e6;
}

async function places(server: Server, count: number): Promise<readonly Extract<AssignmentAnswer, { kind: "assigned" }>[]> {
  const assigned: Extract<AssignmentAnswer, { kind: "assigned" }>[] = [];
  await inParallel(count, async () => {
    const answer = (await checkInAndAssign(server)) as AssignmentAnswer;
    if (answer.kind !== "assigned") throw new Error("the bench's round has a place for every device");
    assigned.push(answer);
  });
  return assigned;
}

async function checkInAndAssign(server: Server): Promise<unknown> {
  const json = { "content-type": contentTypes.json };
  await send(server, "POST", routes.checkIns(population), checkInBody, json);
  const body = Buffer.from(JSON.stringify({ population, task: task.name, protocol: 1, requestId: randomBytes(16).toString("base64url") }));
  return JSON.parse((await send(server, "POST", routes.assignments(), body, json)).toString());
}

const checkInBody = Buffer.from(
  JSON.stringify({ protocol: 1, sdk: "0.1.0", capabilities: { engines: ["wasm-relaxed", "wasm-simd", "js"], memoryBytes: 4e9, formFactor: "phone" } }),
);

function reportBody(assignment: string): Buffer {
  const delta = new Float32Array(parameterCount).map((_, i) => ((i % 255) - 127) * 1e-5);
  const facts = { assignment, examples: 100, metrics: { count: 100, lossSum: 230, correct: 10, absoluteErrorSum: 0 }, phases: "cdtTu" };
  return Buffer.from(encodeSafetensors([{ name: reportTensorName, type: "F32", shape: [parameterCount], bytes: bytesFromFloat32(delta) }], { [reportFactsKey]: JSON.stringify(facts) }));
}

/** A round that never fills: every device of the bench gets a place in it, and every report is counted. */
const task: TaskDocument = {
  name: taskName("linear"),
  description: "A linear layer of 400 KB, for the bench",
  start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [inputs] }, target: { kind: "classes", shape: [], classCount: outputs },
    layers: [{ name: "out", kind: "dense", units: outputs }],
    loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 10, optimizer: { kind: "sgd", learningRate: 0.1 } },
  data: { collection: "rows", schemaVersion: 1, examplesMin: 1, examplesMax: 1000 },
  round: { goalCount: 1_000_000, overSelection: 1, selectionWindowMs: 3_600_000, selectionFractionMin: 1, reportingWindowMs: 3_600_000, reportingFractionMin: 1 },
  eligibility: { conditions: [], minSeparation: 1 },
  heldOutFraction: 0,
  sum: { kind: "plain", because: "a bench on loopback", clipNorm: 10, weightMax: 1000 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 },
  durability: "checkpoint",
  stop: { rounds: 1 },
};

async function prepare(server: Server): Promise<void> {
  const headers = { authorization: `Bearer ${server.operatorToken}`, "content-type": contentTypes.json };
  await send(server, "PUT", routes.population(population), Buffer.from("{}"), headers);
  await send(server, "POST", routes.tasks(population), Buffer.from(JSON.stringify(task)), headers);
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

function send(server: Server, method: string, path: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${server.url}${path}`, { method, agent: server.agent, headers: { ...headers, "content-length": body.length } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const answer = Buffer.concat(chunks);
        if (response.statusCode === 200) resolve(answer);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer.toString().slice(0, 300)}`));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
