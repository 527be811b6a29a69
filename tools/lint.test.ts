import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./testing/stages.ts";

/** One fault per rule that the house relies on; each name is the rule as oxlint prints it. */
const faults: Readonly<Record<string, string>> = {
  "typescript(no-floating-promises)": "Promise.resolve(1);",
  "typescript(no-misused-promises)": "[1].forEach(async () => { await Promise.resolve(); });",
  "typescript(await-thenable)": "export async function waits() { await 5; }",
  "typescript(no-explicit-any)": "export const anything: any = 1;",
  "typescript(no-non-null-assertion)": "export function first(list: number[]) { return list[0]!; }",
  "typescript(switch-exhaustiveness-check)": `export function size(of: "a" | "b") { switch (of) { case "a": return 1; } return 0; }`,
  "typescript(consistent-type-imports)": `import { Thing } from "./thing.ts"; export type Things = Thing[];`,
  "typescript(only-throw-error)": `export function fails() { throw "words"; }`,
  "typescript(no-unsafe-assignment)": `export const parsed: { a: number } = JSON.parse("{}");`,
  "typescript(require-await)": "export async function neverWaits() { return 1; }",
  "eslint(eqeqeq)": "export function same(a: number, b: number) { return a == b; }",
  "eslint(no-unused-vars)": "const unused = 1;",
  "import(no-default-export)": "export default 1;",
};

test("each rule that the house relies on finds its planted fault", () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-lint-"));
  try {
    Object.values(faults).forEach((source, i) => writeFileSync(join(folder, `fault-${i}.ts`), `${source}\n`));
    writeFileSync(join(folder, "thing.ts"), "export interface Thing { readonly size: number }\n");
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.base.json"), include: ["."], compilerOptions: { types: [] } }));
    copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    const args = ["--type-aware", "--deny-warnings", "--format=unix", "."];
    const { stdout, status } = spawnSync(process.execPath, [join(root, "node_modules/oxlint/bin/oxlint"), ...args], { cwd: folder, encoding: "utf8" });
    expect(status).not.toBe(0);
    const missed = Object.keys(faults).filter((rule) => !stdout.includes(rule));
    expect(missed, stdout).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
