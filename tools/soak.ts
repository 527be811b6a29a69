// npm run soak: the tests that take longer than CI has, with ten times the kills. Prints their figures.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const env = { ...process.env, TUTTI_KILLS: process.env["TUTTI_KILLS"] ?? "1000" };
const { status } = spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "--project", "processes", "kill"], { cwd: root, stdio: "inherit", env });
process.exitCode = status ?? 1;
