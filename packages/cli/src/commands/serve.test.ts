import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Output } from "../output.ts";
import { runTutti } from "../tutti.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-serve-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** `tutti serve` with `origins` allowed: asks it with `ask` once it serves, then ends it. */
async function whileServing<T>(origins: string, ask: (url: string) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const write = (line: string): void => {
    const told = JSON.parse(line) as { readonly kind: string; readonly url: string };
    if (told.kind === "serving") resolve(told.url);
  };
  const output: Output = { isTerminal: false, columnCount: 80, write, writeError: () => undefined };
  const words = ["serve", "--folder", folder, "--port", "0", "--population", "watches", "--json", "--allow-origin", origins];
  const served = runTutti(words, { output, environment: {}, interrupted: interrupted.signal });
  try {
    return await ask(await url);
  } finally {
    interrupted.abort();
    expect(await served).toBe(0);
  }
}

test("pages of each origin that --allow-origin names may ask, and no others", async () => {
  const origins = ["https://app.example", "http://127.0.0.1:5173", "https://other.example"];
  const allowed = await whileServing("https://app.example,http://127.0.0.1:5173", (url) => Promise.all(origins.map(async (origin) =>
    (await fetch(`${url}/v1/populations/watches/keys`, { headers: { origin } })).headers.get("access-control-allow-origin"))));
  expect(allowed).toEqual(["https://app.example", "http://127.0.0.1:5173", null]);
});

test.for(["https://app.example/", "app.example", "https://app.example/page", "https://app.example,nonsense"])("--allow-origin %s is no origin, and nothing is served", async (origins) => {
  let err = "";
  const output: Output = { isTerminal: false, columnCount: 80, write: () => undefined, writeError: (text) => void (err += text) };
  const code = await runTutti(["serve", "--folder", folder, "--port", "0", "--allow-origin", origins], { output, environment: {}, interrupted: AbortSignal.abort() });
  expect([code, err]).toEqual([2, `tutti: --allow-origin ${origins.split(",").at(-1) ?? ""}: expected scheme, host and port alone, as https://app.example\n`]);
});
