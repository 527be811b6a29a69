import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const source = { conditions: ["@tutti/source"] };
const never = ["**/node_modules/**", "**/dist/**", "build/**"];

/**
 * One project per stage of `npm test` (tools/testing/stages.ts). A stage that starts processes,
 * browsers or npm runs one file at a time: two of them would only take the two cores from each other.
 */
export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    execArgv: ["--conditions=@tutti/source"],
    maxWorkers: availableParallelism(),
    passWithNoTests: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "tools/**/*.test.ts", "bench/**/*.test.ts", "test/support/**/*.test.ts"],
          exclude: [...never, "**/*.world.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: { name: "world", include: ["packages/simulator/src/**/*.world.test.ts"], exclude: never, testTimeout: 300_000 },
      },
      alone("browser", ["test/browser/**/*.test.ts"], 120_000),
      alone("processes", ["test/processes/**/*.test.ts", "examples/**/*.test.ts"], 600_000),
      alone("packed", ["test/packed/**/*.test.ts"], 600_000),
    ],
  },
});

function alone(name: string, include: string[], timeoutMs: number) {
  return {
    extends: true as const,
    test: { name, include, exclude: never, fileParallelism: false, testTimeout: timeoutMs, hookTimeout: timeoutMs },
  };
}
