// npm test: the static checks, then every stage of tests. `-- --stage unit [file filter]` runs one.
// The last line is the sum of all tests; the exit status is 0 only when something passed and nothing failed.
import { parseArgs } from "node:util";
import { isStageName, runStage, stageNames, type StageName } from "./testing/stages.ts";
import { addTallies, nothingRan, tallyLine, type Tally } from "./testing/vitest-report.ts";

const { stages, filters } = chosen(process.argv.slice(2));
const total = stages.reduce((sum, stage) => addTallies(sum, timedStage(stage)), nothingRan);
for (const test of total.skipped) console.log(`skipped: ${test.name}: ${test.reason}`);
if (total.passed === 0 && hasTests(stages)) console.error("no test passed: that is a failure");
console.log(tallyLine(total));
process.exitCode = total.failed === 0 && (total.passed > 0 || !hasTests(stages)) ? 0 : 1;

function hasTests(names: readonly StageName[]): boolean {
  return names.some((name) => name !== "static");
}

function chosen(argv: string[]): { stages: readonly StageName[]; filters: string[] } {
  const { values, positionals } = parseArgs({ args: argv, allowPositionals: true, options: { stage: { type: "string", multiple: true } } });
  const names = values.stage ?? stageNames;
  const wrong = names.find((name) => !isStageName(name));
  if (wrong !== undefined) throw new Error(`--stage ${wrong}: expected one of ${stageNames.join(", ")}`);
  return { stages: names.filter(isStageName), filters: positionals };
}

function timedStage(stage: StageName): Tally {
  const startMs = performance.now();
  console.log(`== ${stage}`);
  const tally = runStage(stage, filters);
  console.log(`== ${stage}: ${tallyLine(tally)} in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  return tally;
}
