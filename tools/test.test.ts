import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./testing/stages.ts";

function runTests(...args: readonly string[]): { readonly status: number | null; readonly lastLine: string; readonly complaint: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "tools/test.ts"), ...args], { encoding: "utf8", cwd: root });
  return { status, lastLine: stdout.trimEnd().split("\n").at(-1) ?? "", complaint: stderr };
}

test("a run in which no test passed is a failure, and its last line says so", () => {
  const { status, lastLine, complaint } = runTests("--stage", "world", "no-such-test-file");
  expect(lastLine).toBe("0 passed, 0 failed, 0 skipped");
  expect(complaint).toContain("no test passed");
  expect(status).toBe(1);
});

test("an unknown stage is refused with the names of those that exist", () => {
  const { status, complaint } = runTests("--stage", "unti");
  expect(complaint).toContain("--stage unti: expected one of static, unit, world, browser, processes, packed");
  expect(status).not.toBe(0);
});
