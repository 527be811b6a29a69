import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { requiresChromium } from "../support/requires.ts";
import type { Lab, LabOptions } from "./page/lab.ts";
import { watchTask, type TaskWorld } from "./support/coordinator.ts";
import { startRelay, type Relay } from "./support/relay.ts";
import type { Site } from "./support/site.ts";
import { openDevice, plainExamples, Stage, watchPeople } from "./support/stage.ts";

/** What page/lab.ts puts into its page. */
declare const lab: Lab;
/** The app's own wish to end what `participate` began last. */
declare const app: AbortController;

/** A pause in the midst of training: 10 minibatches of two epochs are far more. */
const heldPause = 6;

let stage: Stage;
let site: Site;
let world: TaskWorld;
let relay: Relay;
beforeAll(async () => {
  stage = await Stage.build();
});
beforeEach(async () => {
  site = await stage.site();
  world = await stage.task(watchTask(1, { stop: { rounds: 1 } }), [site.origin]);
  relay = stage.ended(await startRelay(world.url));
});
afterEach(() => stage.clear());
afterAll(() => stage.remove());

/** A tab of the profile's one device. @param isNew whether its person has agreed and recorded nothing yet. */
async function openTab(profile: BrowserContext, isNew: boolean, options: Partial<LabOptions> = {}): Promise<Page> {
  const [person] = await watchPeople(1);
  const { page } = await openDevice(profile, site, { coordinatorUrl: relay.url, keys: world.keys, ...options }, isNew && person !== undefined ? plainExamples(person) : undefined);
  return page;
}

/** A new profile's tab that is held in the midst of training; its ending comes later. */
async function heldTab(profile: BrowserContext): Promise<{ readonly profile: BrowserContext; readonly page: Page; readonly ending: Promise<unknown> }> {
  const page = await openTab(profile, true, { bench: { heldPause } });
  const ending = participate(page);
  ending.catch(() => undefined);
  await untilHeld(page);
  return { profile, page, ending };
}

function untilHeld(page: Page): Promise<void> {
  return page.evaluate(async (pause) => {
    while (lab.pauseCount() < pause) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }, heldPause);
}

/** A new tab of a device whose other tab is gone, once the browser has ended that one's worker too. */
async function reopenedTab(profile: BrowserContext): Promise<Page> {
  const page = await openTab(profile, false);
  await page.evaluate(`(async () => {
    while ((await navigator.locks.query()).held.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  })()`);
  return page;
}

function participate(page: Page): Promise<unknown> {
  return page.evaluate(async () => {
    Object.assign(globalThis, { app: new AbortController() });
    return (await lab.device().participate(app.signal)).ending;
  });
}

/** The bodies of the requests of this kind that passed, without the browser's preflights. */
function asked(method: "POST" | "PUT", end: string): readonly Buffer[] {
  return relay.relayed.filter(({ call }) => call.startsWith(method) && call.endsWith(end)).map(({ body }) => body);
}

function goOn(page: Page): Promise<void> {
  return page.evaluate(() => lab.goOn());
}

/** What the ledger tells of each participation: its letters, whether a report may have left, and its end. */
function ledger(page: Page): Promise<unknown> {
  return page.evaluate(async () => (await lab.device().ledger()).map(({ phases, isDisclosed, end }) => {
    const ending = end?.ending;
    return { phases, isDisclosed, end: ending === undefined ? null : "reason" in ending ? ending.reason : ending.kind };
  }));
}

test("a page that is closed in the midst of training gives its place back when it is opened again, and takes part anew", async (context) => {
  const { profile, page } = await heldTab(await stage.profile(requiresChromium(context)));
  await page.close();
  const reopened = await reopenedTab(profile);
  expect(await ledger(reopened)).toEqual([{ phases: "c", isDisclosed: false, end: null }]);
  expect(await participate(reopened)).toMatchObject({ kind: "aborted", reason: "shutting-down" });
  expect(asked("POST", ":abort").map((body) => JSON.parse(body.toString()) as unknown)).toMatchObject([{ reason: "shutting-down" }]);
  expect(await participate(reopened)).toMatchObject({ kind: "done" });
  expect(await ledger(reopened)).toMatchObject([{ isDisclosed: false, end: "shutting-down" }, { isDisclosed: true, end: "done" }]);
  await world.until(({ kind }) => kind === "round-committed");
});

test("a page that is closed while its report waits to be sent sends that very report when it is opened again", async (context) => {
  const profile = await stage.profile(requiresChromium(context));
  const page = await openTab(profile, true);
  const held = relay.holdFrom((call) => call.endsWith(":begin"));
  participate(page).catch(() => undefined);
  await held;
  await page.close();
  const reopened = await reopenedTab(profile);
  relay.release();
  expect(await participate(reopened)).toMatchObject({ kind: "done" });
  expect(await ledger(reopened)).toMatchObject([{ isDisclosed: true, end: "done" }]);
  expect(asked("PUT", "")).toHaveLength(1);
  expect(asked("POST", "/check-ins")).toHaveLength(1);
  await world.until(({ kind }) => kind === "round-committed");
});

test("two tabs are one device: while one takes part the other is told so, and both have one ledger and one key", async (context) => {
  const { profile, page, ending } = await heldTab(await stage.profile(requiresChromium(context)));
  const other = await openTab(profile, false);
  const askedCount = relay.relayed.length;
  expect(await participate(other)).toEqual({ kind: "busy" });
  expect(await other.evaluate(() => lab.device().forget())).toEqual({ ok: false, error: { code: "busy" } });
  expect(relay.relayed).toHaveLength(askedCount);
  await goOn(page);
  expect(await ending).toMatchObject({ kind: "done" });
  expect(await ledger(other)).toEqual(await ledger(page));
  expect(await ledger(other)).toMatchObject([{ end: "done" }]);
  await participate(other);
  expect(asked("POST", "/check-ins")).toHaveLength(2);
  expect(asked("POST", "/devices")).toHaveLength(1);
});

test("another profile of the same browser is another device", async (context) => {
  const { page } = await heldTab(await stage.profile(requiresChromium(context)));
  const other = await openTab(await stage.profile(requiresChromium(context)), false);
  expect(await ledger(page)).toHaveLength(1);
  expect(await ledger(other)).toEqual([]);
  expect(await other.evaluate(() => lab.device().hasConsent())).toBe(false);
});

test.for(["this tab", "another tab"] as const)("consent that is withdrawn in %s stops training before the next minibatch, and stays withdrawn", async (where, context) => {
  const { profile, page, ending } = await heldTab(await stage.profile(requiresChromium(context)));
  const withdrawing = where === "this tab" ? page : await openTab(profile, false);
  await withdrawing.evaluate(() => lab.device().setConsent(false));
  await page.evaluate(async () => {
    while (lab.device().hasConsent()) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  });
  await goOn(page);
  expect(await ending).toMatchObject({ kind: "aborted", reason: "consent-withdrawn" });
  expect(await page.evaluate(() => lab.pauseCount())).toBe(heldPause);
  expect(await ledger(page)).toMatchObject([{ isDisclosed: false, end: "consent-withdrawn" }]);
  expect(asked("PUT", "")).toEqual([]);
  const askedCount = relay.relayed.length;
  const reopened = await openTab(profile, false);
  expect(await participate(reopened)).toMatchObject({ kind: "declined" });
  expect(relay.relayed).toHaveLength(askedCount);
});

test("the worker that the package ships hears its page between minibatches, long before its training would end", async (context) => {
  // Ten seconds of training, after which its report would be made and sent.
  const long = await stage.task(watchTask(1, { job: { batchSize: 16, epochCount: 1000, timeLimitMs: 10_000, optimizer: { kind: "sgd", learningRate: 0.001 } } }), [site.origin]);
  const slow = stage.ended(await startRelay(long.url));
  const page = await openTab(await stage.profile(requiresChromium(context)), true, { coordinatorUrl: slow.url, keys: long.keys });
  const ending = participate(page);
  while (slow.relayed.filter(({ call }) => call.startsWith("GET ")).length < 2) await page.evaluate(() => lab.device().ledger());
  const { heardMs } = await page.evaluate(async () => {
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    const asked = performance.now();
    await lab.device().setConsent(false);
    return { heardMs: performance.now() - asked };
  });
  expect(await ending).toMatchObject({ kind: "aborted", reason: "consent-withdrawn" });
  expect(heardMs).toBeLessThan(2_000);
  expect(await ledger(page)).toMatchObject([{ isDisclosed: false }]);
});

test("a page that nothing is withdrawn from trains all its minibatches after the one that was held", async (context) => {
  const { page, ending } = await heldTab(await stage.profile(requiresChromium(context)));
  await goOn(page);
  expect(await ending).toMatchObject({ kind: "done" });
  expect(await page.evaluate(() => lab.pauseCount())).toBeGreaterThan(heldPause + 5);
});

test("a page that is hidden in the midst of training stops it", async (context) => {
  const { page, ending } = await heldTab(await stage.profile(requiresChromium(context)));
  await page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "hidden" }), document.dispatchEvent(new Event("visibilitychange"))`);
  // The page's word went out before this answer came back.
  await page.evaluate(() => lab.device().ledger());
  await goOn(page);
  expect(await ending).toMatchObject({ kind: "aborted", reason: "conditions-lost" });
  expect(await page.evaluate(() => lab.pauseCount())).toBe(heldPause);
});

test("the app's own signal ends a participation before the next minibatch", async (context) => {
  const { page, ending } = await heldTab(await stage.profile(requiresChromium(context)));
  await page.evaluate(async () => {
    app.abort();
    // The signal's word went out before this answer came back.
    await lab.device().ledger();
  });
  await goOn(page);
  expect(await ending).toMatchObject({ kind: "aborted", reason: "shutting-down" });
  expect(await page.evaluate(() => lab.pauseCount())).toBe(heldPause);
});

test("close() ends the device with whatever runs, and the next one ends what it left", async (context) => {
  const { profile, page, ending } = await heldTab(await stage.profile(requiresChromium(context)));
  const failed = ending.catch(String);
  await page.evaluate(() => lab.device().close());
  expect(await failed).toContain("the device is closed");
  expect(await page.evaluate(() => lab.device().ledger().catch(String))).toBe("Error: the device is closed");
  expect(await participate(await reopenedTab(profile))).toMatchObject({ kind: "aborted", reason: "shutting-down" });
});

test("where a device's worker cannot be loaded, the app is told so", async (context) => {
  const profile = await stage.profile(requiresChromium(context));
  await profile.route("**/device-worker*.js", (route) => route.abort());
  await expect(openTab(profile, false)).rejects.toThrow("the device's worker failed");
});

test("forget() leaves nothing of the person in the profile but what they decided, and the counts of reports", async (context) => {
  const profile = await stage.profile(requiresChromium(context));
  const page = await openTab(profile, true);
  expect(await participate(page)).toMatchObject({ kind: "done" });
  expect(await page.evaluate(() => lab.device().forget())).toEqual({ ok: true, value: undefined });
  const kept = await page.evaluate(`new Promise((resolve) => {
    indexedDB.open("tutti/watches").onsuccess = async ({ target: { result } }) => {
      const keysOf = (store) => new Promise((found) => { result.transaction(store).objectStore(store).getAllKeys().onsuccess = ({ target }) => found(target.result); });
      resolve(await Promise.all(["record", "bytes", "key", "setting"].map(keysOf)));
    };
  })`);
  expect(kept).toEqual([["participations/watch-activity"], [], [], ["consent"]]);
});

test.for([
  ["there is no file", "/nothing.wasm", /status 404/],
  ["a page lies where the kernels should", "/lab.html", /no WebAssembly kernels/],
] as const)("where %s, the app is told so at once", async ([, address, message], context) => {
  const profile = await stage.profile(requiresChromium(context));
  const url = site.origin + address;
  await expect(openTab(profile, false, { kernelUrls: { "wasm-simd": url, "wasm-relaxed": url } })).rejects.toThrow(message);
});
