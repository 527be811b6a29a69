import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "./testing/stages.ts";

/** What only a platform has, one line each; a pure package takes it as a port or not at all. */
const platformUses: Readonly<Record<string, string>> = {
  fetch: `export const answer = fetch("https://example.org");`,
  setTimeout: "export const timer = setTimeout(() => undefined, 1);",
  process: "export const cpu = process.arch;",
  document: "export const title = document.title;",
  crypto: "export const id = crypto.randomUUID();",
  console: "console.log(1);",
  "node:fs": `export { readFileSync } from "node:fs";`,
};
const purePackages = ["base", "protocol", "engine", "learning", "privacy", "rounds", "device"];

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-pure-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * What the compiler says of `source` under the options of the tsconfig at `projectFolder`, beside the
 * package's own declarations of the platform (`src/platform.d.ts`, which must not let a name back in).
 */
function compileUnder(projectFolder: string, source: string): string {
  writeFileSync(join(folder, "planted.ts"), `${source}\n`);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const project = join(root, projectFolder);
  const options = { rootDir: "/", outDir: join(folder, "dist"), tsBuildInfoFile: join(folder, "dist/info") };
  const include = ["planted.ts", join(project, "src/platform.d.ts")];
  const typeRoots = [join(root, "node_modules/@types")];
  const config = { extends: join(project, "tsconfig.json"), compilerOptions: { ...options, typeRoots }, include, exclude: [], references: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  return spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--noEmit"], { encoding: "utf8" }).stdout;
}

function unresolved(printed: string): readonly string[] {
  return [...printed.matchAll(/Cannot find (?:name|module) '([^']+)'/g)].map((match) => match[1] ?? "");
}

test("plain language compiles in a pure package, so that a refusal means something", () => {
  expect(compileUnder("packages/base", "export const sum = [1, 2].map((x) => x + 1);")).toBe("");
});

test.for(purePackages)("fetch, timers, process and the like do not resolve in %s", (name) => {
  const printed = compileUnder(`packages/${name}`, Object.values(platformUses).join("\n"));
  expect(unresolved(printed), printed).toEqual(Object.keys(platformUses));
});

test("the Node project of the device sees Node and no document", () => {
  const printed = compileUnder("packages/device/src/node", Object.values(platformUses).join("\n"));
  expect(unresolved(printed), printed).toEqual(["document"]);
});

test("the browser project of the device sees the document and no Node", () => {
  const printed = compileUnder("packages/device/src/browser", Object.values(platformUses).join("\n"));
  expect(unresolved(printed), printed).toEqual(["process", "node:fs"]);
});
