// What a simulation costs beside its training: bytes of each message, the coordinator's thread per
// participation, memory of a device that waits, rounds per second.
import { inProcessTrainer } from "@tutti/device/node";
import { initialParameters, type BatchSource } from "@tutti/engine";
import { beginLocalTraining } from "@tutti/learning";
import { taskName, type TaskDocument } from "@tutti/protocol";
import { taskFromDocument, type Task } from "@tutti/rounds";
import { simulate, type MessageBytes, type Population, type SimulationResult } from "@tutti/simulator";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import mnist2nn from "../examples/mnist-2nn/task.ts";
import { benchRow, mediansOfRuns, type BenchRow } from "./bench.ts";

const runCount = 3;
const roundsPerRun = 3;
const clientCount = 100;
const examplesPerClient = 600;
/** Rounds that train for one minibatch only, so that what is left is everything else; the difference leaves out the start. */
const shortRounds = { few: 5, many: 25 };
const idleDevices = 1000;

/** The 2NN without evaluation, for a number of rounds. */
function document2nn(rounds: number, job: object): TaskDocument {
  const { evaluation: _, ...rest } = mnist2nn;
  return { ...rest, job: { ...mnist2nn.job, ...job }, heldOutFraction: 0, stop: { rounds } };
}

export async function* rows(): AsyncGenerator<BenchRow> {
  // First, while the process holds nothing else: what an earlier simulation leaves is given back at no known moment.
  const perDevice = await idleBytesPerDevice();
  yield benchRow({ name: "memory of an idle device that took part once", value: perDevice / 1024, unit: "KB", reference: 64, target: { kind: "value-at-most", bound: 64 } });
  const [few, many] = [await shortRun(shortRounds.few), await shortRun(shortRounds.many)];
  yield* wireRows(many.result);
  const perParticipation = (many.ms - few.ms) / (many.result.participationCount - few.result.participationCount);
  yield benchRow({ name: "main thread per participation, 199 210 parameters", value: perParticipation, unit: "CPU ms", reference: 3, target: { kind: "value-at-most", bound: 3 } });
  const [simulatedRounds = Number.NaN, pureRounds = Number.NaN] = await mediansOfRuns(runCount, [roundsPerSecond, pureRoundsPerSecond]);
  yield benchRow({ name: "2NN rounds with 1 worker, beside pure training", value: simulatedRounds, unit: "per second", reference: pureRounds, target: { kind: "ratio-at-least", bound: 0.8 } });
}

/** Mean bytes of each kind of message, both ways; the large ones beside the bare vector that they carry. */
function* wireRows({ wire }: SimulationResult): Generator<BenchRow> {
  const vectorBytes = 4 * checked(mnist2nn).parameterCount;
  const perMessage = ({ count, sentBytes, receivedBytes }: MessageBytes): number => (sentBytes + receivedBytes) / count;
  for (const kind of wire.filter(({ message }) => message !== "blob" && message !== "report")) {
    yield benchRow({ name: `${kind.message}, with its answer`, value: perMessage(kind), unit: "bytes", reference: 2048, target: { kind: "value-at-most", bound: 2048 } });
  }
  const total = (message: string): number => wire.filter((kind) => kind.message === message).reduce((sum, { sentBytes, receivedBytes }) => sum + sentBytes + receivedBytes, 0);
  const reportCount = wire.find(({ message }) => message === "report")?.count ?? Number.NaN;
  yield benchRow({ name: "report, with its receipt", value: total("report") / reportCount, unit: "bytes", reference: vectorBytes, target: { kind: "ratio-at-most", bound: 1.01 } });
  yield benchRow({ name: "plan and model of one participation", value: total("blob") / reportCount, unit: "bytes", reference: vectorBytes, target: { kind: "ratio-at-most", bound: 1.01 } });
}

type Moments = { readonly onOpened?: () => void; readonly onStopped?: () => void };

function simulated(document: TaskDocument, population: Population, moments?: Moments): Promise<SimulationResult> {
  const onEvent = ({ kind }: { readonly kind: string }): void => {
    if (kind === "round-opened") moments?.onOpened?.();
    if (kind === "task-stopped") moments?.onStopped?.();
  };
  return simulate({ document, population, seed: 1, workerCount: 1, interrupted: new AbortController().signal, onEvent });
}

/** From the opening of the second round on: threads and devices have started then. */
async function roundsPerSecond(): Promise<number> {
  const openedAt: number[] = [];
  let stoppedAt = Number.NaN;
  await simulated(document2nn(1 + roundsPerRun, {}), digits(), { onOpened: () => openedAt.push(performance.now()), onStopped: () => (stoppedAt = performance.now()) });
  return (1000 * roundsPerRun) / (stoppedAt - (openedAt[1] ?? Number.NaN));
}

/** The same minibatches one after the other, without a coordinator, a device or a second thread. */
async function pureRoundsPerSecond(): Promise<number> {
  const { model, job, rounds } = checked(mnist2nn);
  const trainer = inProcessTrainer(undefined, { numerics: "deterministic" });
  const examples = digitExamples();
  const start = Float32Array.from(initialParameters(model, 1));
  const startedAt = performance.now();
  for (let client = 0; client < roundsPerRun * rounds.goalCount; client++) {
    const trained = await trainer.train({ model, examples, job: beginLocalTraining(job, { parameters: start, shuffleSeed: client }) }, new AbortController().signal);
    if (!trained.ok) throw new Error("the engine trains a 2NN");
  }
  return (1000 * roundsPerRun) / (performance.now() - startedAt);
}

/** What the coordinator's and the devices' thread computes in so many rounds. */
async function shortRun(rounds: number): Promise<{ readonly result: SimulationResult; readonly ms: number }> {
  const before = process.threadCpuUsage();
  const result = await simulated(document2nn(rounds, { stepCountLimit: 1 }), digits());
  const { user, system } = process.threadCpuUsage(before);
  return { result, ms: (user + system) / 1000 };
}

/** Heap and buffers that each of `idleDevices` devices has added once it took part in a round and waits; the coordinator's rows of it included. */
async function idleBytesPerDevice(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const held = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  let before = Number.NaN;
  let after = Number.NaN;
  await simulated(pointsDocument(idleDevices), points(idleDevices), {
    onOpened: () => (before = held()),
    onStopped: () => (after = held()),
  });
  return (after - before) / idleDevices;
}

function checked(document: TaskDocument): Task {
  const task = taskFromDocument(document);
  if (!task.ok) throw new Error(JSON.stringify(task.error));
  return task.value;
}

/** As many numbers as 600 digits have; what they show does not matter to the clock. */
function digitExamples(): BatchSource {
  return { exampleCount: examplesPerClient, inputs: Float32Array.from({ length: 784 * examplesPerClient }, (_, i) => (i % 251) / 250), targets: Int32Array.from({ length: examplesPerClient }, (_, i) => i % 10) };
}

function digits(): Population {
  const { exampleCount, inputs, targets } = digitExamples();
  const people = Array.from({ length: clientCount }, (_, i) => ({ id: `c${i}`, cohort: "training" as const, examples: () => ({ exampleCount, inputs: inputs.slice(), targets: targets.slice() }) }));
  return { description: "grey values", collection: "digits", schemaVersion: 1, people };
}

/** One round in which every device takes part, of a model that weighs nothing. */
function pointsDocument(deviceCount: number): TaskDocument {
  return {
    ...document2nn(1, {}),
    name: taskName("points"),
    model: { input: { kind: "features", shape: [2] }, target: { kind: "classes", shape: [], classCount: 2 }, layers: [{ name: "out", kind: "dense", units: 2 }], loss: { kind: "softmax-cross-entropy" }, metrics: [] },
    data: { collection: "points", schemaVersion: 1, examplesMin: 1, examplesMax: 10 },
    round: { ...mnist2nn.round, goalCount: deviceCount },
    sum: { ...mnist2nn.sum, weightMax: 10 },
  };
}

function points(deviceCount: number): Population {
  const people = Array.from({ length: deviceCount }, (_, i) => ({ id: `p${i}`, cohort: "training" as const, examples: () => ({ exampleCount: 2, inputs: Float32Array.of(0, 1, 1, 0), targets: Int32Array.of(0, 1) }) }));
  return { description: "points", collection: "points", schemaVersion: 1, people };
}
