import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CoordinatorProcess } from "./kill/coordinator-process.ts";

const main = join(import.meta.dirname, "../../packages/cli/src/main.ts");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-refusals-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** `tutti serve`, which is expected to refuse: its exit code and what it said. */
function serve(...words: string[]): { readonly status: number | null; readonly stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, ["--conditions=@tutti/source", main, "serve", ...words], { encoding: "utf8", timeout: 30_000 });
  return { status, stderr };
}

/** Exit code 1 and one line. */
const refusedWith = (text: string): object => ({ status: 1, stderr: expect.stringMatching(new RegExp(`^tutti: [^\n]*${text}[^\n]*\n$`)) as string });

test("a data folder that another coordinator holds is refused in one line, and is free when that one was killed", async () => {
  const holder = new CoordinatorProcess(folder, "held");
  await holder.start();
  expect(serve("--folder", folder, "--port", "0")).toEqual(refusedWith(folder));
  await holder.kill();
  await holder.start();
  await holder.stop();
});

test("a port in use is refused in one line", async () => {
  const taken = createServer();
  taken.listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  expect(serve("--folder", folder, "--port", String(port))).toEqual(refusedWith(`port ${port} of 127.0.0.1 is in use`));
  taken.close();
});

test("a corrupt data folder is refused in one line, and nothing in it is changed", async () => {
  const coordinator = new CoordinatorProcess(folder, "corrupt");
  await coordinator.start();
  await coordinator.stop();
  const database = join(folder, "tutti.sqlite");
  truncateSync(database, 5000);
  expect(serve("--folder", folder, "--port", "0")).toEqual(refusedWith("tutti.sqlite"));
  writeFileSync(database, "this is no database, whatever its name says".repeat(100));
  expect(serve("--folder", folder, "--port", "0")).toEqual(refusedWith("tutti.sqlite"));
});

test("Ctrl-C ends a coordinator cleanly, with exit code 0", async () => {
  const child = spawn(process.execPath, ["--conditions=@tutti/source", main, "serve", "--folder", folder, "--port", "0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGINT");
  expect((await once(child, "exit"))[0]).toBe(0);
});
