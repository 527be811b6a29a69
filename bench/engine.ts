// What one local pass costs on one thread, beside the machine's ceiling, PyTorch, TensorFlow.js and jax-js:
// the table of docs/engine.md. CPU time of the thread, not the clock: other programs on the machine count less.
import { setBackend } from "@tensorflow/tfjs-core";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { instantMs } from "@tutti/base";
import type { Engine, LocalJob, Model, Trainer } from "@tutti/engine";
import { nodeEngines } from "@tutti/engine/node";
import { jaxEngine } from "../test/support/engines/jax-engine.ts";
import { tfjsEngine } from "../test/support/engines/tfjs-engine.ts";
import { loadTfjsGradients } from "../test/support/engines/tfjs-gradients.ts";
import { firstOf, generateTask, jobOf, modelOfTask, vectorTasks, type GeneratedTask, type VectorTask } from "../test/support/engines/vector-tasks.ts";
import { benchRow, mediansOfRuns, type BenchRow, type Bound } from "./bench.ts";
import { fmaPeak } from "./engine/fma-peak.ts";
import { Pytorch } from "./engine/pytorch.ts";

type Goals = {
  readonly task: string;
  readonly words: string;
  readonly runCount: number;
  /** What the goals of issue 4 ask: a share of the FMA peak, at most so many times PyTorch's time, at least so many times faster than a rival. */
  readonly share: number;
  readonly pytorch: number;
  readonly tfjs: number | "fails";
  readonly jax: number;
  /** The prototype's megabytes, of which at most half as many again are allowed; null where nobody measured. */
  readonly megabytes: number | null;
};

/** Where the issue names no goal stands what would be a step back. */
const tasks: readonly Goals[] = [
  { task: "softmax", words: "softmax 784-10, 60 x 10", runCount: 5, share: 0.1, pytorch: 1, tfjs: 15, jax: 1, megabytes: null },
  { task: "mlp2nn", words: "2NN 784-200-200-10, 60 x 10", runCount: 5, share: 0.45, pytorch: 1, tfjs: 15, jax: 1, megabytes: 4 },
  { task: "har", words: "HAR 561-128-6, 20 x 16", runCount: 5, share: 0.45, pytorch: 1, tfjs: 15, jax: 1, megabytes: null },
  { task: "cnn", words: "McMahan CNN, 60 x 10", runCount: 3, share: 0.4, pytorch: 1.2, tfjs: "fails", jax: 1, megabytes: 19 },
  { task: "nextword", words: "next word, 10 x 16", runCount: 3, share: 0.4, pytorch: 1.6, tfjs: "fails", jax: 3.5, megabytes: 27 },
  { task: "char", words: "char LSTM, 5 x 10", runCount: 3, share: 0.45, pytorch: 1, tfjs: "fails", jax: 8, megabytes: 21 },
];

/** Nothing else runs, and no job has a time limit. */
const ports = { pause: () => Promise.resolve(), now: () => instantMs(0) };
const atLeast = (bound: number): Bound => ({ kind: "ratio-at-least", bound });
const atMost = (bound: number): Bound => ({ kind: "ratio-at-most", bound });

export async function* rows(): AsyncGenerator<BenchRow> {
  await loadTfjsGradients();
  await setBackend("wasm");
  setThreadsCount(1);
  const pytorch = Pytorch.start();
  if (pytorch === null) console.error("PyTorch is not installed (Debian: python3-torch, libopenblas0-pthread): its rows are left out");
  try {
    const peak = fmaPeak();
    for (const goals of tasks) yield* taskRows(goals, peak, pytorch);
  } finally {
    pytorch?.stop();
  }
}

async function* taskRows(goals: Goals, peakGflops: () => number, pytorch: Pytorch | null): AsyncGenerator<BenchRow> {
  const subject = subjectOf(goals.task);
  const { task, job, model } = subject;
  const [relaxedEngine, simdEngine] = nodeEngines(ports);
  if (simdEngine?.id !== "wasm-simd") throw new Error("this machine does not run both builds of the kernels");
  const relaxedPass = await passOf(relaxedEngine, subject);
  const simdPass = await passOf(simdEngine, subject);
  const tfjsPass = goals.tfjs === "fails" ? null : await passOf(tfjsEngine("tfjs-wasm"), subject);
  const jaxPass = await (goals.task === "cnn" ? oneBatchPassOf : passOf)(jaxEngine("jax-js"), subject);
  const none = (): number => Number.NaN;
  const [relaxed = 0, simd = 0, peak = 0, torch = 0, tfjs = 0, jax = 0] = await mediansOfRuns(goals.runCount, [
    relaxedPass, simdPass, peakGflops, pytorch === null ? none : () => pytorch.passMs(goals.task), tfjsPass ?? none, jaxPass,
  ]);
  const { words } = goals;
  yield benchRow({ name: `${words}: share of the FMA peak`, value: task.flops / relaxed / 1e6, unit: "GFLOP/s", reference: peak, target: atLeast(goals.share) });
  if (pytorch !== null) yield benchRow({ name: `${words}: against PyTorch`, value: relaxed, unit: "ms", reference: torch, target: atMost(goals.pytorch) });
  yield benchRow({ name: `${words}: simd against relaxed`, value: simd, unit: "ms", reference: relaxed, target: atMost(2) });
  if (goals.tfjs === "fails") yield await failingRow(words, subject);
  else yield benchRow({ name: `${words}: tfjs-wasm against ours`, value: tfjs, unit: "ms", reference: relaxed, target: atLeast(goals.tfjs) });
  yield benchRow({ name: `${words}: jax-js against ours`, value: jax, unit: "ms", reference: relaxed, target: atLeast(goals.jax) });
  const check = relaxedEngine.check(model);
  const bytes = check.ok ? check.bytes(task.batch, job) : Number.NaN;
  yield benchRow({ name: `${words}: WebAssembly memory`, value: bytes / 1e6, unit: "MB", reference: goals.megabytes ?? bytes / 1e6, target: atMost(1.5) });
}

type Subject = GeneratedTask & { readonly task: VectorTask; readonly model: Model; readonly job: LocalJob };

function subjectOf(name: string): Subject {
  const task = vectorTasks().get(name);
  if (task === undefined) throw new Error(`no task ${name} in vectors/`);
  const generated = generateTask(task);
  return { ...generated, task, model: modelOfTask(name, task), job: jobOf(task, generated.start) };
}

/** Multiplications of passes that are long enough to be measured one by one: the CPU's clock ticks once a millisecond. */
const flopsMin = 1e9;

/** CPU milliseconds of one pass, the mean of some where it is short; the same went before, so nothing is compiled in it. */
async function passOf(engine: Engine, subject: Subject): Promise<() => Promise<number>> {
  const trainer = await compiled(engine, subject);
  const passCount = Math.ceil(flopsMin / subject.task.flops);
  const passes = async (): Promise<void> => {
    for (let pass = 0; pass < passCount; pass++) await trainer.train(subject.job, subject.examples);
  };
  await passes();
  return async () => (await cpuMs(passes)) / passCount;
}

/** One batch of it times their number: the whole pass takes minutes. */
async function oneBatchPassOf(engine: Engine, subject: Subject): Promise<() => Promise<number>> {
  const trainer = await compiled(engine, subject);
  const batch = firstOf(subject.examples, subject.task.batch);
  await trainer.train(subject.job, batch);
  return async () => subject.task.batches * (await cpuMs(() => trainer.train(subject.job, batch)));
}

function compiled(engine: Engine, { model, task }: Subject): Promise<Trainer> {
  return engine.compile(model, { maxBatch: task.batch, numerics: "fast" });
}

async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Passes that tfjs-wasm can train: none, or what the table says of it is no longer true. */
async function failingRow(words: string, subject: Subject): Promise<BenchRow> {
  const trainer = await compiled(tfjsEngine("tfjs-wasm"), subject);
  const trained = await trainer.train(subject.job, firstOf(subject.examples, subject.task.batch)).then(() => 1, () => 0);
  return benchRow({ name: `${words}: passes that tfjs-wasm can train`, value: trained, unit: "of 1", reference: 1, target: { kind: "value-at-most", bound: 0 } });
}
