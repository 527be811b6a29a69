import { spawn } from "node:child_process";
import { taskName, type TaskDocument } from "@tutti/protocol";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const deviceCount = 1000;
const goalCount = 100;
const places = 130;
/** A fifth of the places. */
const vanishing = 26;
const rounds = 5;

/** One dense layer on the synthetic watches: what is tested is the conversation of so many devices, not their training. */
const document: TaskDocument = {
  name: taskName("thousand"),
  description: "A softmax on watch windows, for a thousand devices",
  start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [64, 6] }, target: { kind: "classes", shape: [], classCount: 5 },
    layers: [{ name: "flat", kind: "flatten" }, { name: "out", kind: "dense", units: 5 }],
    loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 32, optimizer: { kind: "sgd", learningRate: 0.05 } },
  data: { collection: "watch-windows", schemaVersion: 1, examplesMin: 10, examplesMax: 50 },
  round: { goalCount, overSelection: places / goalCount, selectionWindowMs: 60_000, selectionFractionMin: 0.9, reportingWindowMs: 60_000, reportingFractionMin: 0.9 },
  eligibility: { conditions: [], minSeparation: 1 },
  heldOutFraction: 0.01,
  sum: { kind: "plain", because: "synthetic people", clipNorm: 5, weightMax: 50 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 },
  durability: "checkpoint",
  stop: { rounds },
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-thousand-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Committed = { readonly kind: string; readonly roundKind: string; readonly counts: { readonly assigned: number; readonly reported: number }; readonly phases: Readonly<Record<string, number>> };

test(`${deviceCount} HTTP devices complete rounds with a goal of ${goalCount} while a fifth of them vanishes`, async () => {
  const task = join(folder, "task.json");
  writeFileSync(task, JSON.stringify(document));
  const words = ["demo", "--task", task, "--devices", String(deviceCount), "--kill-per-round", String(vanishing), "--folder", join(folder, "data"), "--json"];
  const events = await eventsOf(words);
  const committed = events.filter((event): event is Committed => event.kind === "round-committed" && (event as Committed).roundKind === "train");
  expect(committed).toHaveLength(rounds);
  expect(events.filter(({ kind }) => kind === "round-abandoned")).toEqual([]);
  expect(events.at(-1)).toMatchObject({ kind: "demo-finished", rounds, stoppedBy: "rounds" });
  const vanished = events.filter(({ kind }) => kind === "device-vanished").length;
  // Every vanishing device of every round was met, or its round had its reports before it came so far.
  expect(vanished).toBeGreaterThan(0.5 * vanishing * rounds);
  const phases = new Map<string, number>();
  for (const round of committed) {
    expect(round.counts.reported).toBeGreaterThanOrEqual(goalCount);
    expect(Object.values(round.phases).reduce((sum, count) => sum + count, 0)).toBe(round.counts.assigned);
    for (const [phase, count] of Object.entries(round.phases)) phases.set(phase, (phases.get(phase) ?? 0) + count);
  }
  console.log(`${deviceCount} devices, ${rounds} rounds, ${vanished} vanished; devices per phase string: ${[...phases].map(([phase, count]) => `${phase} ${count}`).join(", ")}`);
});

async function eventsOf(words: readonly string[]): Promise<readonly { readonly kind: string }[]> {
  const child = spawn(process.execPath, ["--conditions=@tutti/source", join(root, "packages/cli/src/main.ts"), ...words], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const events: { readonly kind: string }[] = [];
  for await (const line of createInterface({ input: child.stdout })) events.push(JSON.parse(line) as { readonly kind: string });
  return events;
}
