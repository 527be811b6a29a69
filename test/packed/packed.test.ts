import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const compiler = join(root, "node_modules/typescript/bin/tsc");
// The programs started here must be run by this very Node (24), not by one that the machine has besides.
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` };

interface PackedPackage {
  readonly name: string;
  readonly folder: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let workFolder = "";
let packed: readonly PackedPackage[] = [];

beforeAll(() => {
  workFolder = mkdtempSync(join(tmpdir(), "tutti-packed-"));
  mkdirSync(join(workFolder, "tarballs"));
  mkdirSync(join(workFolder, "consumer"));
  packed = readdirSync(join(root, "packages")).map((name) => packPackage(join(root, "packages", name)));
});
afterAll(() => rmSync(workFolder, { recursive: true, force: true }));

function packPackage(folder: string): PackedPackage {
  run("npm", ["run", "--silent", "prepack"], folder);
  const printed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", join(workFolder, "tarballs")], folder);
  // npm 11 prints a list, npm 12 an object by package name.
  const [entry] = Object.values(JSON.parse(printed) as Record<string, Omit<PackedPackage, "folder">>);
  if (entry === undefined) throw new Error(`npm pack printed no package for ${folder}`);
  return { ...entry, folder };
}

/** The program's output; a failure shows all that it printed. */
function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: "utf8", shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: exit ${String(status)}\n${String(error ?? "")}${stdout}${stderr}`);
  return stdout;
}

test("a tarball holds what its sources compile to, and neither sources nor tests nor leftovers", () => {
  for (const { name, folder, files } of packed) {
    const paths = files.map(({ path }) => path);
    expect(paths, name).toContain("dist/index.js");
    expect(paths, name).toContain("dist/index.d.ts");
    expect(paths.filter((path) => /\.test\.|(^|\/)test\/|tsbuildinfo$|^src\//.test(path)), name).toEqual([]);
    const leftovers = paths.filter((path) => path.endsWith(".js") && !existsSync(join(folder, path.replace(/^dist/, "src").replace(/\.js$/, ".ts"))));
    expect(leftovers, `${name}: remove its dist folder, these have no source`).toEqual([]);
  }
});

test("the engine's tarball holds its compiled kernels", () => {
  const engine = packed.find(({ name }) => name === "@tutti/engine");
  const kernels = engine?.files.filter(({ path }) => path.endsWith(".wasm")).map(({ path }) => join(engine.folder, path)) ?? [];
  expect(kernels.length).toBeGreaterThan(0);
  // The first four bytes of every WebAssembly module (core specification, 5.5.16).
  for (const path of kernels) expect(readFileSync(path).subarray(0, 4).toString("latin1"), path).toBe("\0asm");
});

test("the tarballs, installed in an empty folder, compile for a stranger and run `tutti demo --rounds 2`", () => {
  const consumer = join(workFolder, "consumer");
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const tarballs = packed.map(({ filename }) => join(workFolder, "tarballs", filename));
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...tarballs], consumer);
  expect(packageNames(consumer)).toEqual(packed.map(({ name }) => name).toSorted());
  compileImports(consumer);
  bundlePage(consumer);
  const lines = run("npx", ["--no", "--offline", "tutti", "demo", "--rounds", "2", "--json"], consumer).trim().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "") as { readonly model?: { readonly path?: string } };
  expect(last).toMatchObject({ kind: "demo-finished", rounds: 2 });
  expect(existsSync(resolve(consumer, last.model?.path ?? "no-model"))).toBe(true);
});

function packageNames(consumer: string): readonly string[] {
  return readdirSync(join(consumer, "node_modules/@tutti")).map((name) => `@tutti/${name}`).toSorted();
}

/** Every public entry resolves to its declarations without the repository's own condition. */
function compileImports(consumer: string): void {
  const keys = (folder: string): readonly string[] => Object.keys(exportsOf(folder)).filter((key) => !key.endsWith(".wasm"));
  const entries = packed.flatMap(({ name, folder }) => keys(folder).map((key) => `${name}${key.slice(1)}`));
  writeFileSync(join(consumer, "all.ts"), `${entries.map((entry, i) => `export * as entry${i} from "${entry}";`).join("\n")}\n`);
  const options = ["--module", "nodenext", "--target", "es2024", "--strict", "--noEmit", "--skipLibCheck", "--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
  run(process.execPath, [compiler, ...options, "all.ts"], consumer);
}

/** A stranger's page with a device is bundled without a setting: the worker and both kernels become files of it. */
function bundlePage(consumer: string): void {
  writeFileSync(join(consumer, "index.html"), '<!doctype html><script type="module" src="./page.js"></script>');
  writeFileSync(join(consumer, "page.js"), 'import { createBrowserDevice } from "@tutti/device/browser";\ncreateBrowserDevice({});\n');
  run(process.execPath, [join(root, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "warn"], consumer);
  const names = readdirSync(join(consumer, "dist/assets")).map((name) => name.replace(/-[\w-]{8}\./, ".")).toSorted();
  expect(names).toEqual(["device-worker.js", "index.js", "kernels-relaxed.wasm", "kernels-simd.wasm"]);
}

function exportsOf(folder: string): object {
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { exports: object }).exports;
}
