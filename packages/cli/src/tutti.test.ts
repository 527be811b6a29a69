import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Output } from "./output.ts";
import { runTutti } from "./tutti.ts";

type Call = { readonly code: number; readonly out: string; readonly err: string };

async function call(...words: string[]): Promise<Call> {
  let out = "";
  let err = "";
  const output: Output = { isTerminal: false, columnCount: 80, write: (text) => void (out += text), writeError: (text) => void (err += text) };
  const code = await runTutti(words, { output, environment: {}, interrupted: new AbortController().signal });
  return { code, out, err };
}

const names = ["serve", "demo", "simulate", "device", "data inspect", "task create", "task list", "task show", "task pause", "task resume", "task halt", "model list", "model export"];
const reference = readFileSync(join(import.meta.dirname, "../../../docs/cli.md"), "utf8");

test.each(names)("the help of `tutti %s` has a usage, options and an example, and stands in docs/cli.md as it is", async (name) => {
  const { code, out, err } = await call(...name.split(" "), "--help");
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain(`Usage: tutti ${name} `);
  expect(out).toContain("  --json");
  expect(out).toContain(`\n  tutti ${name}`);
  expect(reference).toContain(out.trim());
});

test("`tutti` alone lists every command", async () => {
  const { code, out } = await call();
  expect(code).toBe(0);
  for (const name of names) expect(out).toContain(`  ${name}`);
});

test.each([
  [["dmeo"], 'tutti: unknown command "dmeo"; see: tutti --help\n'],
  [["task", "begin"], "tutti: expected one of: task create, task list, task show, task pause, task resume, task halt\n"],
  [["demo", "--round", "3"], "tutti: unknown option --round\n"],
  [["demo", "--rounds", "none"], "tutti: --rounds none: expected a whole number from 1 to 10000\n"],
  [["demo", "--kill-per-round", "-1"], "tutti: --kill-per-round needs a value: --kill-per-round K\n"],
  [["serve"], "tutti: --folder is missing\n"],
  [["serve", "--folder", "x", "--port", "65536"], "tutti: --port 65536: expected a whole number from 0 to 65535\n"],
  [["serve", "--folder", "x", "--tls-key", "key.pem"], "tutti: --tls-cert is missing: TLS needs both\n"],
  [["task", "list", "--population", "Watches", "--coordinator", "http://x"], "tutti: --population Watches: expected lower-case letters, digits and hyphens\n"],
  [["task", "list", "--population", "watches", "--coordinator", "localhost:7430"], "tutti: --coordinator localhost:7430: expected an address as http://127.0.0.1:7430\n"],
  [["task", "list", "--population", "watches", "--coordinator", "http://127.0.0.1:1"], "tutti: --token is missing: give it, set TUTTI_TOKEN, or name the data folder with --folder\n"],
  [["model", "export", "watch", "--population", "watches", "--folder", "x"], "tutti: --out is missing\n"],
  [["data", "inspect", "x", "--partition", "shards:0"], "tutti: --partition shards:0: expected natural, iid, shards:K or dirichlet:ALPHA with ALPHA from 0.001 to 1000000\n"],
])("the words %j are answered with one line and exit code 2", async (words, line) => {
  expect(await call(...words)).toEqual({ code: 2, out: "", err: line });
});

test.each([
  [["serve", "--folder", "unused", "--host", "0.0.0.0", "--port", "0"], "is not loopback"],
  [["task", "create", "nowhere/task.json", "--population", "watches", "--folder", "x"], "nowhere/task.json: no such file or folder"],
  [["model", "list", "watch", "--population", "watches", "--folder", "nowhere"], "nowhere: no coordinator's data folder"],
  [["task", "list", "--population", "watches", "--token", "t", "--coordinator", "http://127.0.0.1:1"], "http://127.0.0.1:1: no coordinator answers"],
])("where the world fails, as by %j, one line says what and the exit code is 1", async (words, text) => {
  const { code, out, err } = await call(...words);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(text);
  expect(err.trimEnd().split("\n")).toHaveLength(1);
});
