// Builds the WebAssembly kernels from AssemblyScript: run by `npm run prepare`, `--force` rebuilds all.
import { mkdirSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import asc from "assemblyscript/asc";

const root = join(import.meta.dirname, "..");

/** One WebAssembly file; an entry whose source is not there is left out. */
type Entry = { readonly source: string; readonly output: string; readonly features: readonly string[] };

const entries: readonly Entry[] = [
  { source: "packages/engine/assembly/kernels.ts", output: "packages/engine/build/kernels-simd.wasm", features: ["simd"] },
  { source: "packages/engine/assembly/kernels.ts", output: "packages/engine/build/kernels-relaxed.wasm", features: ["simd", "relaxed-simd"] },
  { source: "packages/coordinator/assembly/sum.ts", output: "packages/coordinator/build/sum.wasm", features: ["simd"] },
];

/** Newest change of anything that an entry is made from: its folder and this file. */
function changedMs(entry: Entry): number {
  const folder = join(root, dirname(entry.source));
  const files = [import.meta.filename, ...readdirSync(folder).map((name) => join(folder, name))];
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

function isFresh(entry: Entry): boolean {
  const output = join(root, entry.output);
  return existsSync(output) && statSync(output).mtimeMs > changedMs(entry);
}

/** Source text that a sibling `*.generator.ts` writes: AssemblyScript has no macros. */
async function generate(entry: Entry): Promise<void> {
  const folder = join(root, dirname(entry.source));
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".generator.ts"))) {
    const { generated } = (await import(pathToFileURL(join(folder, name)).href)) as { generated: () => { readonly file: string; readonly source: string } };
    const { file, source } = generated();
    const target = join(root, dirname(entry.output), file);
    if (!existsSync(target) || readFileSync(target, "utf8") !== source) writeFileSync(target, source);
  }
}

async function build(entry: Entry): Promise<void> {
  mkdirSync(join(root, dirname(entry.output)), { recursive: true });
  await generate(entry);
  const options = [entry.source, "--outFile", entry.output, "--baseDir", root, "--runtime", "stub", "--noAssert", "-O3", "--shrinkLevel", "1", "--converge"];
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main([...options, ...entry.features.flatMap((feature) => ["--enable", feature])], { stderr });
  if (error !== null) throw new Error(`${entry.source}: ${error.message}\n${stderr.toString()}`);
}

const isForced = process.argv.includes("--force");
for (const entry of entries.filter((one) => existsSync(join(root, one.source)))) {
  if (isForced || !isFresh(entry)) await build(entry);
}
