import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why this test did not run on this machine; `npm test` prints it beside the test's name. */
    skipReason?: string;
  }
}

const chromiumPaths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The folder of data set `name` under TUTTI_DATA, or undefined: for hooks, which cannot skip one test. */
export function dataFolder(name: string): string | undefined {
  const root = process.env["TUTTI_DATA"];
  if (root === undefined || root === "") return undefined;
  const folder = join(root, name);
  return existsSync(folder) ? folder : undefined;
}

/** The folder of data set `name`; without it the test is skipped, by name. */
export function requiresData(context: TestContext, name: string): string {
  return required(context, dataFolder(name), `needs TUTTI_DATA with ${name}`);
}

/** The path of a Chromium (CHROMIUM, or where distributions put it); without one the test is skipped, by name. */
export function requiresChromium(context: TestContext): string {
  const named = process.env["CHROMIUM"];
  const path = [...(named === undefined ? [] : [named]), ...chromiumPaths].find((candidate) => existsSync(candidate));
  return required(context, path, "needs Chromium (CHROMIUM or /usr/bin/chromium)");
}

function required(context: TestContext, value: string | undefined, reason: string): string {
  if (value !== undefined && value !== "") return value;
  context.task.meta.skipReason = reason;
  return context.skip(reason);
}
