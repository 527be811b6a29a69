// npm run bench:NAME [-- --json]: runs bench/NAME.ts and prints its rows, each beside its reference.
// Exits 1 when a target is missed, so that a script can ask.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchRow, BenchRows } from "./bench.ts";

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "boolean", default: false } } });
const name = positionals[0] ?? "";
const path = join(import.meta.dirname, `${name}.ts`);
if (!/^[a-z0-9-]+$/.test(name) || !existsSync(path)) throw new Error(`no bench "${name}": expected the name of a file in bench/`);

const { rows } = (await import(path)) as { rows: BenchRows };
const machine = machineFacts();
const machineLine = `${machine.cpu}, ${machine.coreCount} cores, node ${machine.node}, commit ${machine.commit}`;
// As JSON the output is rows and nothing else; where they were measured goes beside it.
if (flags.json) console.error(machineLine);
else console.log(`${machineLine}\n`);
if (!flags.json) console.log(cells("name", "value", "reference", "ratio", "target", "met"));
let missedCount = 0;
for await (const row of await rows()) {
  missedCount += row.met ? 0 : 1;
  console.log(flags.json ? JSON.stringify(row) : tableLine(row));
}
process.exitCode = missedCount === 0 ? 0 : 1;

function tableLine({ name: rowName, value, unit, reference, ratio, target, met }: BenchRow): string {
  return cells(rowName, `${figure(value)} ${unit}`, `${figure(reference)} ${unit}`, ratio.toFixed(2), target, met ? "yes" : "NO");
}

function cells(rowName: string, value: string, reference: string, ratio: string, target: string, met: string): string {
  return [rowName.padEnd(44), value.padStart(18), reference.padStart(18), ratio.padStart(6), target.padStart(14), met.padStart(4)].join("  ");
}

/** Four significant digits: more would claim a precision that no bench has. */
function figure(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString("en");
}

function machineFacts(): { cpu: string; coreCount: number; node: string; commit: string } {
  const cores = cpus();
  return { cpu: cores[0]?.model ?? "unknown cpu", coreCount: cores.length, node: process.version, commit: commitHash() };
}

function commitHash(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown"; // a tarball of the sources has no history
  }
}
