import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dataFolder, requiresChromium, requiresData } from "./requires.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tutti-requires-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

test("a data set is found under TUTTI_DATA, and only there", (context) => {
  vi.stubEnv("TUTTI_DATA", root);
  mkdirSync(join(root, "some-set"));
  expect(requiresData(context, "some-set")).toBe(join(root, "some-set"));
  expect(dataFolder("another-set")).toBeUndefined();
  vi.stubEnv("TUTTI_DATA", "");
  expect(dataFolder("some-set")).toBeUndefined();
});

test("the Chromium that CHROMIUM names comes before the one of the distribution", (context) => {
  vi.stubEnv("CHROMIUM", root);
  expect(requiresChromium(context)).toBe(root);
});
