import { hexFromBytes, sha256 } from "@tutti/base";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Output } from "../output.ts";
import { runTutti } from "../tutti.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-simulate-"));
  writeFileSync(join(folder, "task.json"), JSON.stringify(task));
  writeFileSync(join(folder, "points.json.gz"), gzipSync(JSON.stringify(leaf())));
});
afterEach(() => rmSync(folder, { recursive: true }));

const task = {
  name: "line", description: "Which of two numbers is larger", start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [2] }, target: { kind: "classes", shape: [], classCount: 2 },
    layers: [{ name: "out", kind: "dense", units: 2 }], loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 4, epochCount: 2, optimizer: { kind: "sgd", learningRate: 0.5 } },
  data: { collection: "points", schemaVersion: 1, examplesMin: 1, examplesMax: 100 },
  round: { goalCount: 5, overSelection: 1.2, selectionWindowMs: 10_000, selectionFractionMin: 0.8, reportingWindowMs: 30_000, reportingFractionMin: 0.8 },
  eligibility: { conditions: ["idle"], minSeparation: 1 }, heldOutFraction: 0.2,
  sum: { kind: "plain", because: "a test", clipNorm: 5, weightMax: 50 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 }, durability: "checkpoint",
  evaluation: { everyRounds: 4, goalCount: 2, windowMs: 30_000, fractionMin: 1 }, stop: { rounds: 4 },
};

/** 20 users as LEAF writes them, each with 12 pairs of numbers that no two share. */
function leaf(): object {
  const users = Array.from({ length: 20 }, (_, i) => `u${i}`);
  const pairs = users.map((_, user) => Array.from({ length: 12 }, (_unused, i) => [Math.sin(7 * user + i), Math.cos(3 * user + 5 * i)] as const));
  return {
    users, num_samples: users.map(() => 12),
    user_data: Object.fromEntries(users.map((user, i) => [user, { x: pairs[i], y: pairs[i]?.map(([a, b]) => Number(a > b)) }])),
  };
}

type Call = { readonly code: number; readonly lines: readonly Readonly<Record<string, unknown>>[]; readonly out: string; readonly err: string };

async function call(...words: string[]): Promise<Call> {
  let out = "";
  let err = "";
  const output: Output = { isTerminal: false, columnCount: 80, write: (text) => void (out += text), writeError: (text) => void (err += text) };
  const code = await runTutti(words, { output, environment: {}, interrupted: new AbortController().signal });
  const lines = words.includes("--json") ? out.trim().split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>) : [];
  return { code, lines, out, err };
}

const simulate = (...words: string[]) => call("simulate", join(folder, "task.json"), "--data", join(folder, "points.json.gz"), ...words);

test("a file of LEAF trains, with the same lines and the same model for one worker and for two", async () => {
  const out = join(folder, "model.safetensors");
  const [one, two] = [await simulate("--workers", "1", "--seed", "3", "--json", "--out", out), await simulate("--workers", "2", "--seed", "3", "--json")];
  expect([one.code, one.err]).toEqual([0, ""]);
  expect(two.lines.slice(0, -1)).toEqual(one.lines.slice(0, -1));
  const last = one.lines.at(-1);
  expect(last).toMatchObject({ kind: "simulation-finished", seed: 3, rounds: 4, stoppedBy: "rounds", modelVersion: 4, heldOut: { metric: "accuracy" } });
  expect(two.lines.at(-1)?.["modelHash"]).toBe(last?.["modelHash"]);
  expect(hexFromBytes(sha256(readFileSync(out)))).toBe(last?.["modelHash"]);
  const { value } = (last?.["heldOut"] ?? {}) as { readonly value?: number };
  expect(value).toBeGreaterThan(0.8);
});

test("a partition deals the examples of the file anew, and --rounds replaces the task's own rule", async () => {
  const { code, out } = await simulate("--partition", "shards:2", "--clients", "8", "--held-out-clients", "2", "--rounds", "2", "--workers", "1");
  expect(code).toBe(0);
  expect(out).toContain("dealt to 8 clients: 2 shards of one label each, seed 1");
  expect(out).toContain("in all 2 training rounds");
});

test("data that the task cannot read is refused before anything runs, with every reason", async () => {
  const { code, err } = await simulate("--partition", "iid", "--clients", "3", "--held-out-clients", "1");
  expect(code).toBe(1);
  expect(err).toContain("dealt to 3 clients: at random\n  a round needs 5 reports; 3 clients train with at least 1 examples\n  an evaluation");
});

test("data inspect shows what a file holds and what the task sees, and its exit code says whether it can run", async () => {
  const path = join(folder, "points.json.gz");
  const fits = await call("data", "inspect", path, "--task", folder);
  expect([fits.code, fits.err]).toEqual([0, ""]);
  expect(fits.out).toContain('collection "points", version 1; 2 numbers for each example\n18 clients train with 216 examples, each with 12 to 12 (median 12)\n  examples of each class: 0: ');
  expect(fits.out).toContain("the task: 18 clients with 216 examples train, 2 clients with 24 examples evaluate\n");
  const starving = await call("data", "inspect", path, "--task", folder, "--partition", "iid", "--clients", "3", "--held-out-clients", "1", "--json");
  expect(starving.code).toBe(1);
  expect(starving.lines).toMatchObject([{ kind: "data-summary", training: { clientCount: 3, exampleCount: 216 }, task: { faults: ["a round needs 5 reports; 3 clients train with at least 1 examples", expect.stringContaining("an evaluation needs")] } }]);
});
