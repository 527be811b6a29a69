import { defineConfig } from "vitest/config";

const source = { conditions: ["@tutti/source"] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    include: ["packages/*/src/**/*.test.ts", "tools/**/*.test.ts", "examples/**/*.test.ts", "test/**/*.test.ts"],
    execArgv: ["--conditions=@tutti/source"],
    testTimeout: 30_000,
  },
});
