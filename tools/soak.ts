// npm run soak [-- kills|world]: what takes longer than CI has. 1000 kills of a real coordinator, 20 000 seeded worlds.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** Each a stage of vitest (vitest.config.ts) with its file filter, and how many rounds of it make a soak. */
const soaks = [
  { name: "kills", project: "processes", filter: "kill", environment: { TUTTI_KILLS: "1000" } },
  { name: "world", project: "world", filter: "seeds", environment: { TUTTI_SEEDS: "20000" } },
] as const;

const wanted = process.argv.slice(2);
const unknown = wanted.find((word) => !soaks.some(({ name }) => name === word));
if (unknown !== undefined) throw new Error(`${unknown}: expected ${soaks.map(({ name }) => name).join(" or ")}`);
const failed = soaks.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).filter(({ project, filter, environment }) => {
  const words = ["node_modules/vitest/vitest.mjs", "run", "--project", project, filter];
  // What is set already wins: TUTTI_SEEDS=1000 npm run soak -- world
  return spawnSync(process.execPath, words, { cwd: root, stdio: "inherit", env: { ...environment, ...process.env } }).status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;
