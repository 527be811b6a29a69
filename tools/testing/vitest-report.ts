/** One test that did not run, and why. */
export interface SkippedTest {
  readonly name: string;
  readonly reason: string;
}

/** What one run counted. `failed` includes files that broke before their tests could be counted. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
}

export const nothingRan: Tally = { passed: 0, failed: 0, skipped: [] };

/** The part of vitest's JSON report that is read here (vitest 5.1, JsonReporter). */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly VitestFile[];
}
interface VitestFile {
  readonly status: string;
  readonly assertionResults: readonly VitestTest[];
}
interface VitestTest {
  readonly status: string;
  readonly fullName: string;
  readonly meta?: { readonly skipReason?: string };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: [...a.skipped, ...b.skipped] };
}

/** The counts of vitest's JSON report; throws when `json` is not one. */
export function tallyFromReport(json: string): Tally {
  const report = vitestReport(JSON.parse(json));
  const broken = report.testResults.filter((file) => file.status === "failed" && !file.assertionResults.some(isFailed));
  const skipped = report.testResults.flatMap((file) => file.assertionResults.filter(isSkipped).map(skippedTest));
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length, skipped };
}

/** The last line of `npm test`. */
export function tallyLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`;
}

function vitestReport(value: unknown): VitestReport {
  const report = value as Partial<VitestReport> | null;
  const isReport = typeof report?.numPassedTests === "number" && typeof report.numFailedTests === "number" && Array.isArray(report.testResults);
  if (!isReport) throw new Error("not a vitest JSON report: numPassedTests, numFailedTests and testResults are expected");
  return report as VitestReport;
}

function isFailed(test: VitestTest): boolean {
  return test.status === "failed";
}

function isSkipped(test: VitestTest): boolean {
  return test.status !== "passed" && test.status !== "failed";
}

function skippedTest(test: VitestTest): SkippedTest {
  return { name: test.fullName.trim(), reason: test.meta?.skipReason ?? "no reason given" };
}
