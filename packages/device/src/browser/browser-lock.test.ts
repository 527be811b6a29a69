import { afterEach, expect, test, vi } from "vitest";
import { browserLock } from "./browser-lock.ts";

afterEach(() => vi.unstubAllGlobals());

test("where a browser has no locks every lock counts as held, and no work runs", async () => {
  vi.stubGlobal("navigator", {});
  let ran = false;
  const outcome = await browserLock.ifFree("a", () => {
    ran = true;
    return Promise.resolve();
  });
  expect(outcome).toEqual({ ok: false, error: { code: "held" } });
  expect(ran).toBe(false);
});
