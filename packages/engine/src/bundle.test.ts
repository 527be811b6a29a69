import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";
import { builtKernels } from "./node/built-kernels.ts";

/** Bytes that travel: compressed as a web server does it. */
const gzipBytes = (bytes: Uint8Array | string): number => gzipSync(bytes, { level: 9 }).length;

/** All that the package's entry exports as one minified module, as an application's bundler makes it. */
async function engineModule(): Promise<string> {
  const built = await build({
    logLevel: "silent", configFile: false, resolve: { conditions: ["@tutti/source"] },
    build: {
      write: false, minify: true, modulePreload: false, target: "es2024",
      rolldownOptions: { input: new URL("index.ts", import.meta.url).pathname, preserveEntrySignatures: "strict" },
    },
  });
  if (!("output" in built)) throw new Error("one build and no watching was asked for");
  return built.output.map((part) => (part.type === "chunk" ? part.code : "")).join("");
}

// docs/engine.md says what is missing to the goal of 25 KB.
test("a device downloads at most 20 KB of engine and 9.3 KB of kernels, compressed", async () => {
  const module = await engineModule();
  expect(module).toContain("conv2d");
  expect(gzipBytes(module)).toBeLessThanOrEqual(20 * 1024);
  for (const kernels of Object.values(builtKernels())) expect(gzipBytes(kernels)).toBeLessThanOrEqual(9.3 * 1024);
});
