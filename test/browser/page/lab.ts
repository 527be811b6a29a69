import { createBrowserDevice, type BrowserDevice, type BrowserDeviceOptions } from "@tutti/device/browser";
import type { BatchSource } from "@tutti/engine";
import type { BenchNote } from "./lab-worker.ts";

/**
 * Options as a test sends them: plain data. `bench` asks for the bench's own worker in place of the one that
 * the package ships: it draws no random numbers, and waits before pause `heldPause` of the training (0: never).
 */
export type LabOptions = Omit<BrowserDeviceOptions, "worker"> & { readonly bench?: { readonly heldPause: number } };

/** Examples as a test sends them. */
export type LabExamples = { readonly collection: string; readonly exampleCount: number; readonly inputs: readonly number[]; readonly targets: readonly number[] };

/** What tests do with a page, under the name `lab` in it. */
export type Lab = {
  open(options: LabOptions): Promise<readonly string[]>;
  device(): BrowserDevice;
  add(examples: LabExamples): Promise<boolean>;
  /** Pauses that the bench's worker has begun: one before the model is built, one before every minibatch. */
  pauseCount(): number;
  /** Ends the pause that the bench's worker was told to hold. */
  goOn(): void;
  /** Milliseconds of each task of more than 50 ms on this page's thread. */
  readonly longTasks: readonly number[];
  /** Holds the page's thread. */
  block(forMs: number): void;
  /** What the policy refused, in the page and in the bench's worker. */
  readonly violations: readonly string[];
};

const longTasks: number[] = [];
const violations: string[] = [];
let opened: BrowserDevice | null = null;
let benchWorker: Worker | null = null;
let pauseCount = 0;

const lab: Lab = {
  open: async ({ bench, ...options }) => {
    opened = await createBrowserDevice(bench === undefined ? options : { ...options, worker: () => startBenchWorker(bench.heldPause) });
    return opened.engines;
  },
  device: () => {
    if (opened === null) throw new Error("the bench has no device yet");
    return opened;
  },
  add: async ({ collection, exampleCount, inputs, targets }) => {
    const batch: BatchSource = { exampleCount, inputs: Float32Array.from(inputs), targets: Int32Array.from(targets) };
    return (await lab.device().examples.add(collection, 1, batch)).ok;
  },
  block: (forMs) => {
    const end = performance.now() + forMs;
    while (performance.now() < end) Math.hypot(1, 2);
  },
  pauseCount: () => pauseCount,
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
  goOn: () => benchWorker?.postMessage("go on"),
  longTasks, violations,
};

function startBenchWorker(heldPause: number): Worker {
  const worker = new Worker(new URL("./lab-worker.ts", import.meta.url), { type: "module", name: String(heldPause) });
  worker.addEventListener("message", ({ data }: MessageEvent<BenchNote>) => {
    if ("violation" in data) violations.push(data.violation);
    else ({ pauseCount } = data);
  });
  benchWorker = worker;
  return worker;
}

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longTasks.push(duration);
}).observe({ type: "longtask" });
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => violations.push(`${violatedDirective} ${blockedURI}`));
Object.assign(globalThis, { lab });
