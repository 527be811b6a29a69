import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tidyFaults } from "./tidy/checks.ts";
import { faultLine } from "./tidy/fault.ts";

type Files = Readonly<Record<string, string>>;

/** A small tree without a fault: two packages on two layers, a test, a tool. */
const cleanTree: Files = {
  "package.json": json({ scripts: { tidy: "node tools/check.ts" }, devDependencies: { vitest: "5.1.1" } }),
  "tools/check.ts": "console.log(1);",
  "packages/base/package.json": manifest("@tutti/base", {}),
  "packages/base/tsconfig.json": config([]),
  "packages/base/src/index.ts": `export * from "./bytes.ts";`,
  "packages/base/src/bytes.ts": "export const byteCount = 1;",
  "packages/base/src/bytes.test.ts": `import { test } from "vitest";\nimport { byteCount } from "./bytes.ts";\ntest("a byte is one", () => { if (byteCount !== 1) throw new Error("not one"); });`,
  "packages/protocol/package.json": manifest("@tutti/protocol", { "@tutti/base": "0.1.0" }),
  "packages/protocol/tsconfig.json": config(["../base"]),
  "packages/protocol/src/index.ts": `export * from "./report.ts";`,
  "packages/protocol/src/report.ts": `import { byteCount } from "@tutti/base";\nexport const reportBytes = byteCount;`,
};

// Put together here, so that the check of this repository does not find them in this file.
const mark = ["TO", "DO"].join("");
const home = ["/ho", "me"].join("");
const resolved = `"${["reso", "lved"].join("")}"`;
const expectError = ["ts", "expect", "error"].join("-");

const linesOf = (count: number): string => "// a line\n".repeat(count);
const bytes = "packages/base/src/bytes.ts";
const bytesTest = "packages/base/src/bytes.test.ts";
const report = "packages/protocol/src/report.ts";
const usesBase = `import { byteCount } from "@tutti/base";\nexport const reportBytes = byteCount;`;

/** Each fault: what is planted into the clean tree, and the line that tidy must print for it. */
const planted: readonly { readonly fault: string; readonly files: Files; readonly found: string }[] = [
  { fault: "a smaller layer imports a greater one", files: { [bytes]: `import { reportBytes } from "@tutti/protocol";\nexport const byteCount = reportBytes;` }, found: `${bytes}:1  layers: @tutti/base (layer 0) imports @tutti/protocol (layer 1)` },
  { fault: "equal layers see each other", files: { "packages/engine/package.json": manifest("@tutti/engine", {}), "packages/engine/tsconfig.json": config([]), "packages/engine/src/index.ts": "export const layerCount = 1;", [report]: `${usesBase}\nexport { layerCount } from "@tutti/engine";` }, found: `${report}:3  layers: @tutti/protocol (layer 1) imports @tutti/engine (layer 1)` },
  { fault: "a test imports a greater layer", files: { [bytesTest]: `import "@tutti/protocol";` }, found: `${bytesTest}:1  layers: @tutti/base (layer 0) imports @tutti/protocol (layer 1)` },
  { fault: "a deep import by name", files: { [report]: `${usesBase}\nexport * from "@tutti/base/bytes.ts";` }, found: `${report}:3  layers: imports @tutti/base/bytes.ts: only what @tutti/base lists under "exports" is public` },
  { fault: "a deep import by path", files: { [report]: `${usesBase}\nexport * from "../../base/src/bytes.ts";` }, found: `${report}:3  layers: reaches into @tutti/base by path: import @tutti/base instead` },
  { fault: "a deep import from a tool", files: { "tools/check.ts": `import "../packages/base/src/bytes.ts";` }, found: "tools/check.ts:1  layers: reaches into @tutti/base by path: import @tutti/base instead" },
  { fault: "a package that leaves its folder", files: { [bytes]: `import "../../../tools/check.ts";\nexport const byteCount = 1;` }, found: `${bytes}:1  layers: leaves its package: tools/check.ts` },
  { fault: "an import that package.json does not declare", files: { "packages/protocol/package.json": manifest("@tutti/protocol", {}) }, found: `${report}:1  layers: @tutti/base is not declared in packages/protocol/package.json` },
  { fault: "an import that tsconfig does not reference", files: { "packages/protocol/tsconfig.json": config([]) }, found: `${report}:1  layers: packages/protocol/tsconfig.json does not reference packages/base` },
  { fault: "a declaration that nobody imports", files: { [report]: "export const reportBytes = 1;" }, found: "packages/protocol/package.json  declarations: @tutti/base is declared and never imported" },
  { fault: "a reference that nobody imports", files: { [report]: "export const reportBytes = 1;" }, found: "packages/protocol/tsconfig.json  declarations: references packages/base and imports nothing of it" },
  { fault: "a version that is not exact", files: { "package.json": json({ scripts: { tidy: "node tools/check.ts" }, devDependencies: { vitest: "^5.1.1" } }) }, found: "package.json  declarations: vitest ^5.1.1: versions are exact" },
  { fault: "a pure package with a dependency that is not allowed", files: { "packages/base/package.json": manifest("@tutti/base", { lodash: "1.0.0" }), [bytes]: `import "lodash";\nexport const byteCount = 1;` }, found: `${bytes}:1  layers: @tutti/base is pure and may not take lodash` },
  { fault: "a folder called utils", files: { "tools/check.ts": `import "./utils/a.ts";`, "tools/utils/a.ts": "console.log(1);" }, found: `tools/utils/a.ts  names: "utils" says nothing: name the noun that is inside` },
  { fault: "a file that is not kebab-case", files: { "tools/checkAll.ts": "console.log(1);" }, found: "tools/checkAll.ts  names: a file's name is a kebab-case noun" },
  { fault: "an identifier called helpers", files: { "tools/check.ts": "const helpers = 1;\nconsole.log(helpers);" }, found: `tools/check.ts:1  names: "helpers" says nothing: name the noun that is inside` },
  { fault: "a parameter without unit", files: { "tools/check.ts": "console.log((timeout: number) => timeout);" }, found: `tools/check.ts:1  names: "timeout" alone has no unit and no qualifier` },
  { fault: "a field without unit", files: { "tools/check.ts": "interface Blob {\n  readonly size: number;\n}\nconsole.log({} as Blob);" }, found: `tools/check.ts:2  names: "size" alone has no unit and no qualifier` },
  { fault: "Date.now", files: { [bytes]: "export const byteCount = Date.now();" }, found: `${bytes}:1  banned-syntax: Date.now: the clock is a port: Clock` },
  { fault: "new Date()", files: { [bytes]: "export const byteCount = new Date();" }, found: `${bytes}:1  banned-syntax: Date.now: the clock is a port: Clock` },
  { fault: "Math.random, passed on", files: { [bytes]: "export const byteCount = [1].map(globalThis.Math.random);" }, found: `${bytes}:1  banned-syntax: globalThis.Math.random: randomness is a port: SeededRandom or SecureRandom` },
  { fault: "await in a package that decides", files: { [bytes]: "export const byteCount = await Promise.resolve(1);" }, found: `${bytes}:1  banned-syntax: \`await\` in a package that decides: shells wait` },
  { fault: "a variable of a module", files: { [bytes]: "export let byteCount = 1;" }, found: `${bytes}:1  banned-syntax: a module-level variable: state has an owner` },
  { fault: "a script without its file", files: { "package.json": json({ scripts: { tidy: "node tools/check.ts", gone: "node tools/gone.ts" } }) }, found: "package.json  scripts: script gone runs tools/gone.ts, which does not exist" },
  { fault: "any", files: { [bytes]: "export const byteCount: any = 1;" }, found: `${bytes}:1  banned-syntax: \`any\`: say what is known, or \`unknown\`` },
  { fault: "a non-null assertion", files: { [bytes]: "export const byteCount = [1][0]!;" }, found: `${bytes}:1  banned-syntax: \`!\`: narrow instead of promising` },
  { fault: "an enum", files: { [bytes]: "enum Phase { a }\nexport const byteCount = Phase.a;" }, found: `${bytes}:1  banned-syntax: \`enum\`: a union of literals is erasable` },
  { fault: "a namespace", files: { [bytes]: "namespace Phase { export const a = 1; }\nexport const byteCount = Phase.a;" }, found: `${bytes}:1  banned-syntax: \`namespace\`: a file is the module` },
  { fault: "a test that alone runs", files: { [bytesTest]: `import { test } from "vitest";\ntest.only("x", () => undefined);` }, found: `${bytesTest}:2  banned-syntax: test.only: a test runs, or says what it requires (test/support/requires.ts)` },
  { fault: "a test that is put off", files: { [bytesTest]: `import { describe } from "vitest";\ndescribe.todo("x");` }, found: `${bytesTest}:2  banned-syntax: describe.todo: a test runs, or says what it requires (test/support/requires.ts)` },
  { fault: "a test that sleeps", files: { [bytesTest]: "setTimeout(() => undefined, 10);" }, found: `${bytesTest}:1  banned-syntax: setTimeout in a unit test: a test never sleeps` },
  { fault: "a function of 71 lines", files: { [bytes]: `export const byteCount = 1;\nfunction long() {\n${linesOf(69)}}\nlong();` }, found: `${bytes}:2  lengths: a function of 71 lines; at most 70` },
  { fault: "a file of 401 lines", files: { [bytes]: `${linesOf(400)}export const byteCount = 1;` }, found: `${bytes}  lengths: 401 lines; a file has at most 400` },
  { fault: "a file that nobody reaches", files: { "packages/base/src/lonely.ts": "export const lonely = 1;\nconsole.log(lonely);" }, found: "packages/base/src/lonely.ts  dead-files: no entry, program, tool, test or script reaches it" },
  { fault: "a barrel", files: { "tools/check.ts": `import { byteCount } from "./all.ts";\nconsole.log(byteCount);`, "tools/all.ts": `export { byteCount } from "@tutti/base";` }, found: "tools/all.ts  barrels: re-exports only: a package has one index, its entry" },
  { fault: "an export that nobody takes", files: { "tools/check.ts": `import { a } from "./parts.ts";\nconsole.log(a);`, "tools/parts.ts": "export const a = 1;\nexport const b = 2;" }, found: "tools/parts.ts:2  unused-exports: nobody imports b" },
  { fault: "a public function without docstring", files: { [bytes]: `export function byteCount() {\n${linesOf(4)}}` }, found: `${bytes}:1  docstrings: byteCount is public and has no docstring` },
  { fault: "unfinished work", files: { [bytes]: `export const byteCount = 1; // ${mark}: count` }, found: `${bytes}:1  texts: ${mark}: finish it, or say in the documents that it is missing` },
  { fault: "a path of one machine", files: { "README.md": `Run ${home}/someone/tutti/start` }, found: `README.md:1  texts: ${home}/someone: a path of one machine` },
  { fault: "a registry's address in the lock", files: { "package-lock.json": `{ ${resolved}: "https://somewhere.example/a.tgz" }` }, found: `package-lock.json:1  texts: ${resolved}: "https:: a path of one machine` },
  { fault: "a rule switched off without a reason", files: { [bytes]: `// ${expectError}\nexport const byteCount = 1;` }, found: `${bytes}:1  texts: a rule is switched off without \` -- reason\`` },
];

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tutti-tidy-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function faultsIn(files: Files): readonly string[] {
  for (const [path, text] of Object.entries({ ...cleanTree, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return tidyFaults(root).map(faultLine);
}

test("a clean tree has no fault", () => {
  expect(faultsIn({})).toEqual([]);
});

test.for(planted)("$fault is found", ({ files, found }) => {
  expect(faultsIn(files)).toContain(found);
});

test("what is allowed by name is no fault", () => {
  const allowed = {
    "packages/device/package.json": manifest("@tutti/device", {}, { "./node": { "@tutti/source": "./src/node/index.ts" } }),
    "packages/device/tsconfig.json": config([]),
    "packages/device/src/index.ts": "export {};",
    "packages/device/src/node/index.ts": `export const nowMs = Date.now();\nnew Worker(new URL("./work.ts", import.meta.url));`,
    "packages/device/src/node/work.ts": "console.log(1);",
    "packages/base/src/platform.d.ts": "declare namespace Wasm { const a: number; }",
    [bytesTest]: `import { describe } from "vitest";\ndescribe("many", () => {\n${linesOf(400)}describe("more", () => undefined); });`,
    [bytes]: `// ${expectError} -- the library's type is wrong here\nexport const byteCount = new Date(0);`,
  };
  expect(faultsIn(allowed)).toEqual([]);
});

function json(value: unknown): string {
  return JSON.stringify(value);
}

function manifest(name: string, dependencies: Files, more: object = {}): string {
  return json({ name, dependencies, exports: { ".": { "@tutti/source": "./src/index.ts" }, ...more } });
}

function config(projects: readonly string[]): string {
  return json({ references: projects.map((path) => ({ path })) });
}
