import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

/** All that a page downloads to have a device: the page's part, the worker with participation and engine, both kernels. */
const bundleBytesMax = 60_000;
/** The worker's file, by which its bundle is known. */
const worker = new RegExp(`${basename("packages/device/src/browser/device-worker.ts", ".ts")}.*\\.js$`);

test("a page with a device, its worker and both kernels take at most 60 KB gzip, of which the page's thread loads at most 3", async () => {
  const configFile = join(import.meta.dirname, "vite.config.ts");
  const built = await build({ configFile, logLevel: "warn", build: { write: false, rolldownOptions: { input: join(import.meta.dirname, "page/index.html") } } });
  const { output } = built as Rolldown.RolldownOutput;
  const sizes = new Map(output.map((file) => [file.fileName, gzipSync(file.type === "chunk" ? file.code : file.source, { level: 9 }).length]));
  const named = (part: RegExp): readonly number[] => [...sizes].filter(([name]) => part.test(name)).map(([, bytes]) => bytes);
  expect(named(/\.wasm$/)).toHaveLength(2);
  expect(named(worker)).toHaveLength(1);
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const ofPage = total - [...named(/\.wasm$/), ...named(worker)].reduce((sum, bytes) => sum + bytes, 0);
  expect(total).toBeLessThanOrEqual(bundleBytesMax);
  expect(ofPage).toBeLessThanOrEqual(3_000);
});

test("a device in a web page takes ten lines, and the documents show these very lines", () => {
  const page = readFileSync(join(import.meta.dirname, "page/page.ts"), "utf8");
  const lines = page.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
  expect(lines).toHaveLength(10);
  for (const document of ["docs/web-page.md", "README.md"]) expect(readFileSync(join(import.meta.dirname, "../..", document), "utf8"), document).toContain(`\`\`\`ts\n${page}\`\`\``);
});
