import { decodeSafetensors } from "@tutti/protocol";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-demo-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Line = Readonly<Record<string, unknown>>;

/** `tutti`, as its own process, from source. */
function tutti(...words: string[]): { readonly status: number | null; readonly lines: readonly Line[]; readonly stdout: string; readonly stderr: string } {
  const main = join(root, "packages/cli/src/main.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@tutti/source", main, ...words], { cwd: folder, encoding: "utf8" });
  const lines = words.includes("--json") ? stdout.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Line) : [];
  return { status, lines, stdout, stderr };
}

test("a demo of one round ends by its rule, says where the model lies, and the model can be exported from its folder", () => {
  const data = join(folder, "data");
  const demo = tutti("demo", "--rounds", "1", "--devices", "12", "--workers", "2", "--folder", data, "--json");
  expect(demo.stderr).toBe("");
  expect(demo.status).toBe(0);
  const last = demo.lines.at(-1);
  expect(last).toMatchObject({ kind: "demo-finished", rounds: 1, stoppedBy: "rounds", model: { version: 1 } });
  expect(demo.lines.filter(({ kind, roundKind }) => kind === "round-committed" && roundKind === "train")).toHaveLength(1);

  const { task, population, model } = last as { task: string; population: string; model: { hash: string; path: string } };
  const out = join(folder, "model.safetensors");
  const exported = tutti("model", "export", task, "--out", out, "--population", population, "--folder", data, "--json");
  expect(exported.lines).toMatchObject([{ kind: "model-exported", version: 1, hash: model.hash }]);
  expect(readFileSync(out)).toEqual(readFileSync(model.path));
  expect(decodeSafetensors(readFileSync(out)).ok).toBe(true);

  const listed = tutti("model", "list", task, "--population", population, "--folder", data, "--json");
  expect(listed.lines).toMatchObject([{ version: 0, isLatest: false }, { version: 1, isLatest: true, hash: model.hash }]);
  const tasks = tutti("task", "list", "--population", population, "--folder", data, "--json");
  expect(tasks.lines).toMatchObject([{ task, phase: "done", stoppedBy: "rounds", trainRoundsCommitted: 1, modelVersion: 1 }]);
});

test("words that are no command end with exit code 2 and one line", () => {
  const { status, stdout, stderr } = tutti("demo", "--rounds", "many");
  expect([status, stdout, stderr]).toEqual([2, "", "tutti: --rounds many: expected a whole number from 1 to 10000\n"]);
});
