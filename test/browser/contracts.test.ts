import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { requiresChromium } from "../support/requires.ts";
import { openPage } from "./support/chromium.ts";
import type { Site } from "./support/site.ts";
import { Stage } from "./support/stage.ts";

/** As packages/device/src/browser/test/contracts.ts tells it. */
type ClauseOutcome = { readonly port: string; readonly clause: string; readonly fault: string | null };

let stage: Stage;
let site: Site;
beforeAll(async () => {
  stage = await Stage.build();
});
beforeEach(async () => {
  site = await stage.site();
});
afterEach(() => stage.clear());
afterAll(() => stage.remove());

/** Loads the contracts' module in a page, as `load` says, and waits for what they tell. */
async function outcomesOf(path: string, load: string): Promise<readonly ClauseOutcome[]> {
  const { page } = await openPage(await stage.profile(path), `${site.origin}/lab.html`);
  return page.evaluate<readonly ClauseOutcome[]>(`new Promise((resolve, reject) => {
    new BroadcastChannel("contracts").onmessage = ({ data }) => resolve(data);
    ${load}
  })`);
}

test.for([
  ["a page", 'import("/contracts.js").catch(reject);'],
  ["a worker", 'new Worker("/contracts.js", { type: "module" }).onerror = ({ message }) => reject(new Error(message));'],
] as const)("store, keys and lock keep their contracts in %s of Chromium", async ([, load], context) => {
  const outcomes = await outcomesOf(requiresChromium(context), load);
  expect(outcomes.filter(({ fault }) => fault !== null)).toEqual([]);
  const clauseCounts = Map.groupBy(outcomes, ({ port }) => port);
  for (const port of ["store", "crypto", "lock"]) expect(clauseCounts.get(port)?.length, port).toBeGreaterThanOrEqual(3);
});

test("a private key can be used and kept, and no script can read it", async (context) => {
  const { page } = await openPage(await stage.profile(requiresChromium(context)), `${site.origin}/lab.html`);
  await page.evaluate(`lab.open({ population: "keys", coordinatorUrl: "http://127.0.0.1:1", keys: { enrolment: "${"A".repeat(43)}", plan: "${"A".repeat(43)}", receipt: "${"A".repeat(43)}" }, policy: { delays: { requestTries: 1, requestPauseMs: 1, transientMs: 1, permanentMs: 1, spread: 0, delayMsMin: 1, delayMsMax: 1 } } })`);
  await page.evaluate("lab.device().setConsent(true)");
  expect(await page.evaluate("lab.device().participate().then(({ ending }) => ending.kind)")).toBe("failed");
  const kept = await page.evaluate(`new Promise((resolve, reject) => {
    indexedDB.open("tutti/keys").onsuccess = ({ target: { result } }) => {
      result.transaction("key").objectStore("key").get("keys").onsuccess = ({ target: { result: { privateKey } } }) =>
        Promise.all(["pkcs8", "jwk"].map((format) => crypto.subtle.exportKey(format, privateKey).then(() => "exported", ({ name }) => name)))
          .then((exported) => resolve({ isExtractable: privateKey.extractable, usages: privateKey.usages, exported }), reject);
    };
  })`);
  expect(kept).toEqual({ isExtractable: false, usages: ["sign"], exported: ["InvalidAccessError", "InvalidAccessError"] });
});
