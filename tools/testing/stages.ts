import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { addTallies, nothingRan, tallyFromReport, type Tally } from "./vitest-report.ts";

export const root = join(import.meta.dirname, "../..");

/** The static checks, in order: each a node program and its arguments. */
const staticChecks = [
  { name: "types", args: ["node_modules/typescript/bin/tsc", "-b"] },
  { name: "lint", args: ["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"] },
  { name: "tidy", args: ["tools/tidy.ts"] },
] as const;

/** The stages of `npm test` in their order; all but the first are vitest projects (vitest.config.ts). */
export const stageNames = ["static", "unit", "world", "browser", "processes", "packed"] as const;
export type StageName = (typeof stageNames)[number];

export function isStageName(name: string): name is StageName {
  return (stageNames as readonly string[]).includes(name);
}

/** Runs one stage, its output straight to the terminal. @param filters vitest's file filters. */
export function runStage(stage: StageName, filters: readonly string[]): Tally {
  return stage === "static" ? runStaticChecks() : runVitest(stage, filters);
}

/** A check that fails counts as one failure; a check that holds is not a test and counts as nothing. */
function runStaticChecks(): Tally {
  return staticChecks.map(({ name, args }) => {
    const held = runNode(args) === 0;
    console.log(`   ${name}: ${held ? "holds" : "FAILED"}`);
    return held ? nothingRan : { ...nothingRan, failed: 1 };
  }).reduce(addTallies, nothingRan);
}

function runVitest(project: string, filters: readonly string[]): Tally {
  const reportPath = join(root, "build/test-reports", `${project}.json`);
  rmSync(reportPath, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
  const status = runNode(["node_modules/vitest/vitest.mjs", "run", "--project", project, ...reporters, ...filters]);
  return countedRun(status, reportIn(reportPath));
}

/**
 * What a run counts once its exit status is known: a run that left no report, or that exited with an
 * error which no test explains (an unhandled rejection, a crash), is one failure of its own.
 */
export function countedRun(status: number | null, report: Tally | undefined): Tally {
  const tally = report ?? nothingRan;
  const isUnexplained = report === undefined || (status !== 0 && tally.failed === 0);
  return isUnexplained ? { ...tally, failed: tally.failed + 1 } : tally;
}

function reportIn(path: string): Tally | undefined {
  try {
    return tallyFromReport(readFileSync(path, "utf8"));
  } catch (cause) {
    console.error(`no report of the tests: ${String(cause)}`);
    return undefined;
  }
}

function runNode(args: readonly string[]): number | null {
  return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status;
}
