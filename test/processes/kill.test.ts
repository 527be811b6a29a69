import { SeededRandom } from "@tutti/base";
import { initialParameters, layoutOf, decodeModel, type Model } from "@tutti/engine";
import { addToSum, decodeModelFile, serverOptimizer, sumGridOf } from "@tutti/learning";
import { assignmentId, partsOfAssignment, partsOfRound, populationName, roundId, routes, taskName, type ModelSummary, type RoundId, type TaskDetail, type TaskDocument } from "@tutti/protocol";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CoordinatorProcess } from "./kill/coordinator-process.ts";
import { Fleet, moments, type Moment } from "./kill/fleet.ts";
import { parameterCount, reportOf } from "./kill/report-bytes.ts";

/** 100 in CI; `npm run soak` asks for 1000. */
const killCount = Number(process.env["TUTTI_KILLS"] ?? 100);
const goalCount = 6;
const deviceCount = 8;

const population = populationName("killed");
const task = taskName("tiny");
const sum = { kind: "plain", because: "a test that kills its coordinator", clipNorm: 4, weightMax: 40 } as const;
const document: TaskDocument = {
  name: task,
  description: "Fifteen parameters that are summed while their coordinator is killed",
  start: { seed: 5 },
  model: {
    input: { kind: "features", shape: [4] }, target: { kind: "classes", shape: [], classCount: 3 },
    layers: [{ name: "out", kind: "dense", units: 3 }], loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 4, optimizer: { kind: "sgd", learningRate: 0.1 } },
  data: { collection: "points", schemaVersion: 1, examplesMin: 1, examplesMax: 100 },
  round: { goalCount, overSelection: deviceCount / goalCount, selectionWindowMs: 600_000, selectionFractionMin: 1, reportingWindowMs: 600_000, reportingFractionMin: 1 },
  eligibility: { conditions: [], minSeparation: 1 },
  heldOutFraction: 0,
  sum,
  serverOptimizer: { kind: "fedavg", learningRate: 0.5 },
  durability: "checkpoint",
  stop: {},
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-kill-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test(`a coordinator that is killed ${killCount} times loses no acknowledged report and doubles none`, { timeout: 10_000 * killCount }, async () => {
  const coordinator = new CoordinatorProcess(folder, population);
  await coordinator.start();
  const fleet = new Fleet(coordinator, { population, task }, 1);
  try {
    await operator(coordinator, "POST", routes.tasks(population), document);
    for (let kill = 0; kill < killCount; kill++) await fleet.round(deviceCount, momentOf(kill));
    await untilNoRoundHoldsReports(coordinator);
    const models = (await operator(coordinator, "GET", routes.models(population, task))) as { readonly models: readonly ModelSummary[] };
    const detail = (await operator(coordinator, "GET", routes.task(population, task))) as TaskDetail;
    const latest = models.models.find(({ isLatest }) => isLatest);
    const model = await (await fetch(`${coordinator.url}/v1/blobs/${latest?.hash ?? ""}`)).arrayBuffer();
    await coordinator.stop();

    const committed = committedReports(folder);
    const counted = new Set([...committed].flatMap(([round, slots]) => slots.map((slot) => assignmentId(round, slot))));
    // None lost: every acknowledged report of a committed round is in it. None doubled: a slot is one row, and the sums below are exact.
    const lost = [...fleet.acknowledged].filter((assignment) => committed.has(partsOfAssignment(assignment).round) && !counted.has(assignment));
    expect(lost).toEqual([]);
    const swallowed = [...counted].filter((assignment) => !fleet.acknowledged.has(assignment));
    for (const assignment of swallowed) expect(fleet.sent.has(assignment)).toBe(true);
    expect(latest?.version).toBe(committed.size);
    for (const round of detail.rounds) expect(round.outcome === "committed" ? round.reported : "abandoned").toBe(committed.get(roundId(population, task, round.round))?.length ?? "abandoned");

    expect(bitsOf(parametersOf(new Uint8Array(model)))).toEqual(bitsOf(replay(committed, fleet.sent)));
    console.log(`${killCount} kills: ${moments.map((moment) => `${fleet.kills.filter((kill) => kill.moment === moment).length} ${moment}`).join(", ")}`);
    console.log(`${committed.size} rounds committed with ${counted.size} reports; ${fleet.acknowledged.size} acknowledged, the acknowledgements of ${swallowed.length} swallowed; 0 lost, 0 doubled; the model is the replay's, bit for bit`);
    // Every kind of moment was met, as often as its turn came.
    for (const [i, moment] of moments.entries()) expect(fleet.kills.filter((kill) => kill.moment === moment).length).toBe(Math.floor((killCount - i - 1) / moments.length) + 1);
  } finally {
    fleet.close();
    await coordinator.kill();
  }
});

test("the replay notices a report that is missing, doubled or changed", () => {
  const round = roundId(population, task, 0);
  const sent = new Map([0, 1, 2].map((slot) => [assignmentId(round, slot), 100 + slot] as const));
  const whole = bitsOf(replay(new Map([[round, [0, 1, 2]]]), sent));
  expect(bitsOf(replay(new Map([[round, [2, 0, 1]]]), sent))).toEqual(whole);
  expect(bitsOf(replay(new Map([[round, [0, 1]]]), sent))).not.toEqual(whole);
  expect(bitsOf(replay(new Map([[round, [0, 1, 2, 2]]]), sent))).not.toEqual(whole);
  expect(bitsOf(replay(new Map([[round, [0, 1, 2]]]), new Map([...sent, [assignmentId(round, 2), 7]])))).not.toEqual(whole);
});

function momentOf(kill: number): Moment {
  const moment = moments[kill % moments.length];
  if (moment === undefined) throw new Error("there is a moment for every kill");
  return moment;
}

async function operator(coordinator: CoordinatorProcess, method: string, path: string, body?: TaskDocument): Promise<unknown> {
  const headers = { authorization: `Bearer ${coordinator.operatorToken}`, ...(body === undefined ? {} : { "content-type": "application/json" }) };
  const response = await fetch(coordinator.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** The last round's commit may still be on its way. */
async function untilNoRoundHoldsReports(coordinator: CoordinatorProcess): Promise<void> {
  for (;;) {
    const { summary } = (await operator(coordinator, "GET", routes.task(population, task))) as TaskDetail;
    if (summary.openRound?.assigned === 0) return;
  }
}

/** Round → slots of the reports in its sum, from the very rows that the coordinator left. */
function committedReports(dataFolder: string): ReadonlyMap<RoundId, readonly number[]> {
  const database = new DatabaseSync(join(dataFolder, "tutti.sqlite"), { readOnly: true });
  const rows = database.prepare("SELECT round, slot FROM report").all() as { readonly round: RoundId; readonly slot: number }[];
  database.close();
  const rounds = new Map<RoundId, number[]>();
  for (const { round, slot } of rows) rounds.set(round, [...(rounds.get(round) ?? []), slot]);
  return rounds;
}

/** The rounds again, in order, each over its reports in another order: FedAvg as learning writes it, without server, file or kernel. */
function replay(committed: ReadonlyMap<RoundId, readonly number[]>, sent: ReadonlyMap<string, number>): Float32Array {
  const optimizer = serverOptimizer(document.serverOptimizer);
  let parameters = initialParameters(model(), 5);
  for (const round of [...committed.keys()].toSorted((a, b) => partsOfRound(a).number - partsOfRound(b).number)) {
    const slots = committed.get(round) ?? [];
    const vector = new Float64Array(parameterCount);
    const grid = sumGridOf({ clipNorm: sum.clipNorm, weightMax: sum.weightMax, reportsMax: deviceCount });
    let weight = 0;
    for (const i of SeededRandom.from(partsOfRound(round).number).permutation(slots.length)) {
      const report = reportOf(sent.get(assignmentId(round, slots[i] ?? 0)) ?? 0);
      weight += Math.min(report.examples, sum.weightMax);
      addToSum(vector, report.delta, { weight: Math.min(report.examples, sum.weightMax), grid });
    }
    parameters = optimizer.update(optimizer.init(parameterCount), parameters, { vector, weight }).parameters;
  }
  return parameters;
}

function model(): Model {
  const decoded = decodeModel(document.model);
  if (!decoded.ok) throw new Error(decoded.error.path);
  return decoded.value;
}

function parametersOf(file: Uint8Array): Float32Array {
  const decoded = decodeModelFile(file, layoutOf(model()));
  if (!decoded.ok) throw new Error(decoded.error.path);
  return decoded.value;
}

const bitsOf = (parameters: Float32Array): readonly number[] => [...new Uint32Array(Float32Array.from(parameters).buffer)];
