import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { countedRun, root } from "./stages.ts";
import { addTallies, nothingRan, tallyFromReport, tallyLine } from "./vitest-report.ts";

const planted = `
import { expect, test } from "vitest";
import { requiresData } from "${join(root, "test/support/requires.ts")}";
test("holds", () => expect(1).toBe(1));
test("does not hold", () => expect(1).toBe(2));
test("needs what nobody has", (context) => { requiresData(context, "no-such-set"); });
`;

/** The JSON report of a real vitest run over two planted files, one of which breaks on loading. */
function reportOfPlantedRun(): string {
  mkdirSync(join(root, "build"), { recursive: true });
  const folder = mkdtempSync(join(root, "build/planted-"));
  try {
    writeFileSync(join(folder, "planted.test.ts"), planted);
    writeFileSync(join(folder, "broken.test.ts"), `throw new Error("breaks before any test");`);
    writeFileSync(join(folder, "vitest.config.ts"), "export default {};");
    const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder, "--reporter=json", "--outputFile.json=report.json"];
    expect(() => execFileSync(process.execPath, args, { stdio: "pipe" })).toThrow();
    return readFileSync(join(folder, "report.json"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a real report counts one pass, one failure, one broken file and one skipped test with its reason", () => {
  const tally = tallyFromReport(reportOfPlantedRun());
  expect(tally).toEqual({
    passed: 1,
    failed: 2,
    skipped: [{ name: "needs what nobody has", reason: "needs TUTTI_DATA with no-such-set" }],
  });
  expect(tallyLine(addTallies(tally, tally))).toBe("2 passed, 4 failed, 2 skipped");
});

test("a run that leaves no report, or exits with an unexplained error, counts as a failure", () => {
  const green = { passed: 3, failed: 0, skipped: [] };
  expect(countedRun(0, green).failed).toBe(0);
  expect(countedRun(1, green).failed).toBe(1);
  expect(countedRun(null, undefined)).toEqual({ ...nothingRan, failed: 1 });
  expect(countedRun(1, { ...green, failed: 2 }).failed).toBe(2);
});

test("what is not a vitest report is refused", () => {
  expect(() => tallyFromReport("{}")).toThrow("not a vitest JSON report");
  expect(() => tallyFromReport("null")).toThrow("not a vitest JSON report");
});
