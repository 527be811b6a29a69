import { readFileSync } from "node:fs";
import type { Batch, BatchSource, LocalJob, Model } from "@tutti/engine";

/** One task of vectors/engine*.json: a pass computed with PyTorch from generated weights and inputs. */
export type VectorTask = {
  readonly params: readonly { readonly name: string; readonly shape: readonly number[]; readonly offset: number }[];
  readonly total: number;
  readonly batch: number;
  readonly batches: number;
  /** Batches after which `finalWeight` and the last loss were taken, where they are not those of the whole pass. */
  readonly passBatches?: number;
  readonly lr: number;
  readonly flops: number;
  readonly input?: readonly number[];
  readonly classes?: number;
  readonly seq?: number;
  readonly vocab?: number;
  readonly initialChecksum: { readonly sum: number; readonly l2: number };
  readonly sample: { readonly index: readonly number[]; readonly initial: readonly number[]; readonly firstGradient: readonly number[]; readonly oneExampleGradient?: readonly number[]; readonly finalWeight: readonly number[] };
  readonly lossFirstAndLast: readonly [number, number];
};

/** All tasks by name, of both files of vectors/. */
export function vectorTasks(): ReadonlyMap<string, VectorTask> {
  return new Map(["engine.json", "engine-more.json"].flatMap((file) => Object.entries(tasksIn(file))));
}

function tasksIn(file: string): Readonly<Record<string, VectorTask>> {
  const document = JSON.parse(readFileSync(new URL(`../../../vectors/${file}`, import.meta.url), "utf8")) as { tasks: Record<string, VectorTask> };
  return document.tasks;
}

/** The generator that the vectors were made with, as they describe it. */
function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type GeneratedTask = { readonly start: Float32Array; readonly examples: BatchSource };

/** Start weights and examples of a task: parameters first, then inputs, then targets, one stream. */
export function generateTask(task: VectorTask): GeneratedTask {
  const draw = mulberry32(42);
  const start = new Float32Array(task.total);
  for (const { name, shape, offset } of task.params) {
    const count = shape.reduce((product, extent) => product * extent, 1);
    const fan = count / (shape.at(-1) ?? 1);
    const bound = shape.length < 2 ? 0.05 : name === "emb" ? 0.5 : Math.sqrt(3 / fan);
    for (let i = 0; i < count; i++) start[offset + i] = (draw() * 2 - 1) * bound;
  }
  return { start, examples: task.seq === undefined ? denseExamples(task, draw) : sequenceExamples(task, draw) };
}

function denseExamples(task: VectorTask, draw: () => number): BatchSource {
  const exampleCount = task.batch * task.batches;
  const inputSize = (task.input ?? []).reduce((product, extent) => product * extent, 1);
  const inputs = new Float32Array(exampleCount * inputSize);
  for (let i = 0; i < inputs.length; i++) inputs[i] = draw() < 0.6 ? 0 : draw();
  const targets = Int32Array.from({ length: exampleCount }, () => Math.floor(draw() * (task.classes ?? 1)));
  return { exampleCount, inputs, targets };
}

function sequenceExamples(task: VectorTask, draw: () => number): BatchSource {
  const exampleCount = task.batch * task.batches;
  const length = task.seq ?? 1;
  const vocabulary = task.vocab ?? 1;
  const inputs = Int32Array.from({ length: exampleCount * length }, () => Math.floor(draw() ** 3 * vocabulary));
  const targets = Int32Array.from(inputs, (_, i) => (i % length === length - 1 ? Math.floor(draw() * vocabulary) : (inputs[i + 1] ?? 0)));
  return { exampleCount, inputs, targets };
}

/** The first `count` examples of a source. */
export function firstOf({ exampleCount, inputs, targets }: BatchSource, count: number): Batch {
  const part = (values: Float32Array | Int32Array) => values.subarray(0, (values.length / exampleCount) * count);
  return { exampleCount: count, inputs: part(inputs), targets: part(targets) };
}

const classes = (classCount: number, shape: readonly number[] = []) => ({ kind: "classes", shape, classCount }) as const;
const loss = { kind: "softmax-cross-entropy", ignoreIndex: null } as const;

/** The task's model in our words; parameter order is the task's. */
export function modelOfTask(name: string, task: VectorTask): Model {
  const dense = (layer: string, from: string, units: number) => ({ name: layer, kind: "dense", from: [from], units, bias: true }) as const;
  const relu = (layer: string, from: string) => ({ name: layer, kind: "relu", from: [from] }) as const;
  const features = { kind: "features", shape: task.input ?? [] } as const;
  const tokens = { kind: "tokens", length: task.seq ?? 1, vocabulary: task.vocab ?? 1 } as const;
  const lstm = (layer: string, from: string) => ({ name: layer, kind: "lstm", from: [from], units: 256, returns: "sequence" }) as const;
  const conv = (layer: string, from: string, filters: number) => ({ name: layer, kind: "conv2d", from: [from], filters, window: [5, 5], stride: [1, 1], padding: "same" }) as const;
  const pool = (layer: string, from: string) => ({ name: layer, kind: "max-pool", from: [from], window: [2, 2], stride: [2, 2], padding: "valid" }) as const;
  switch (name) {
    case "softmax": return { input: features, target: classes(10), loss, metrics: [], layers: [dense("out", "input", 10)] };
    case "mlp2nn": return { input: features, target: classes(10), loss, metrics: [], layers: [dense("d1", "input", 200), relu("r1", "d1"), dense("d2", "r1", 200), relu("r2", "d2"), dense("out", "r2", 10)] };
    case "har": return { input: features, target: classes(6), loss, metrics: [], layers: [dense("d1", "input", 128), relu("r1", "d1"), dense("out", "r1", 6)] };
    case "char": return {
      input: tokens, target: classes(90, [80]), loss, metrics: [],
      layers: [{ name: "emb", kind: "embedding", from: ["input"], vocabulary: 90, width: 8 }, lstm("l1", "emb"), lstm("l2", "l1"), dense("out", "l2", 90)],
    };
    case "cnn": return {
      input: features, target: classes(10), loss, metrics: [],
      layers: [
        conv("c1", "input", 32), relu("r1", "c1"), pool("p1", "r1"), conv("c2", "p1", 64), relu("r2", "c2"), pool("p2", "r2"),
        { name: "flat", kind: "flatten", from: ["p2"] }, dense("d1", "flat", 512), relu("r3", "d1"), dense("out", "r3", 10),
      ],
    };
    case "nextword": return {
      input: tokens, target: classes(10_000, [20]), loss, metrics: [],
      layers: [{ name: "emb", kind: "embedding", from: ["input"], vocabulary: 10_000, width: 96 }, lstm("l1", "emb"), dense("proj", "l1", 96), dense("out", "proj", 10_000)],
    };
    default: throw new Error(`no model for the task ${name}`);
  }
}

/** One epoch of plain SGD over the batches in the examples' own order. */
export function jobOf(task: Pick<VectorTask, "batch" | "lr">, start: Float32Array): LocalJob {
  return {
    start, shuffleSeed: 0, correction: null, batchSize: task.batch, epochCount: 1, exampleOrder: "as-given", stepCountLimit: null, timeLimitMs: null,
    optimizer: { kind: "sgd", learningRate: task.lr, momentum: 0, weightDecay: 0 }, proximalTerm: 0, clip: null, frozen: [], personal: [],
  };
}
