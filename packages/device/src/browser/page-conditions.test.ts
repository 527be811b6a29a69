import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defaultRules, watchPage, type ConditionRules, type PageConditions } from "./page-conditions.ts";

/** A browser's page, as far as its conditions are concerned; what a browser lacks is left out. */
class FakePage extends EventTarget {
  readonly document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  readonly told: PageConditions[] = [];

  constructor(navigator: object) {
    super();
    vi.stubGlobal("document", this.document);
    vi.stubGlobal("navigator", navigator);
    vi.stubGlobal("addEventListener", this.addEventListener.bind(this));
  }

  watch(rules: Partial<ConditionRules> = {}): ReturnType<typeof watchPage> {
    return watchPage({ ...defaultRules, ...rules }, (conditions) => this.told.push(conditions));
  }

  turn(visibilityState: string): void {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event("visibilitychange"));
  }
}

function battery(charging: boolean, level: number): EventTarget & { charging: boolean; level: number } {
  return Object.assign(new EventTarget(), { charging, level });
}

function connection(type: string | undefined, saveData = false): EventTarget & { type: string | undefined; saveData: boolean } {
  return Object.assign(new EventTarget(), { type, saveData });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("in a browser that tells nothing no condition holds at first, and none but rest is ever presumed", async () => {
  const page = new FakePage({});
  const watch = await page.watch();
  expect(watch.current()).toEqual({ idle: false, charging: false, unmetered: false });
  vi.advanceTimersByTime(defaultRules.restMs);
  expect(watch.current()).toEqual({ idle: true, charging: false, unmetered: false });
  const presumed = await page.watch({ presumed: ["charging", "unmetered"] });
  expect(presumed.current()).toEqual({ idle: false, charging: true, unmetered: true });
});

describe("idle", () => {
  test("is a visible page that nobody has used for a while, and ends with the first use", async () => {
    const page = new FakePage({});
    const watch = await page.watch({ restMs: 1000 });
    vi.advanceTimersByTime(900);
    page.dispatchEvent(new Event("pointermove"));
    vi.advanceTimersByTime(900);
    expect(watch.current().idle).toBe(false);
    vi.advanceTimersByTime(100);
    expect(watch.current().idle).toBe(true);
    page.dispatchEvent(new Event("keydown"));
    expect(watch.current().idle).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(page.told.map(({ idle }) => idle)).toEqual([true, false, true]);
  });

  test("ends when the page is hidden, and begins when it is shown again", async () => {
    const page = new FakePage({});
    const watch = await page.watch({ restMs: 0 });
    page.turn("hidden");
    page.turn("visible");
    expect(page.told.map(({ idle }) => idle)).toEqual([false, true]);
    watch.dispose();
    page.turn("hidden");
    expect(page.told).toHaveLength(2);
  });

  test.for([["visible", true, false], ["always", true, true]] as const)("as the app allows: %s", async ([idleWhile, whileVisible, whileHidden]) => {
    const page = new FakePage({});
    const watch = await page.watch({ idleWhile });
    expect(watch.current().idle).toBe(whileVisible);
    page.dispatchEvent(new Event("keydown"));
    expect(watch.current().idle).toBe(whileVisible);
    page.turn("hidden");
    expect(watch.current().idle).toBe(whileHidden);
  });
});

describe("charging", () => {
  test("is a cable, or a battery above the floor, as both change", async () => {
    const power = battery(false, 0.79);
    const page = new FakePage({ getBattery: () => Promise.resolve(power) });
    const watch = await page.watch();
    expect(watch.current().charging).toBe(false);
    Object.assign(power, { level: 0.8 }).dispatchEvent(new Event("levelchange"));
    Object.assign(power, { level: 0.1 }).dispatchEvent(new Event("levelchange"));
    Object.assign(power, { charging: true }).dispatchEvent(new Event("chargingchange"));
    expect(page.told.map(({ charging }) => charging)).toEqual([true, false, true]);
  });

  test("is not what the app presumes where the browser does tell", async () => {
    const page = new FakePage({ getBattery: () => Promise.resolve(battery(false, 0.1)) });
    expect((await page.watch({ presumed: ["charging"] })).current().charging).toBe(false);
  });

  test("is unknown to a page that a policy keeps from the battery", async () => {
    const page = new FakePage({ getBattery: () => Promise.reject(new DOMException("forbidden", "NotAllowedError")) });
    expect((await page.watch()).current().charging).toBe(false);
  });
});

describe("unmetered", () => {
  test.for([
    ["wifi", false, true], ["ethernet", false, true], ["cellular", false, false], ["wimax", false, false], ["none", false, false],
    ["unknown", false, false], [undefined, false, false], ["wifi", true, false], ["ethernet", true, false],
  ] as const)("on %s with saveData %s: %s", async ([type, saveData, expected]) => {
    const page = new FakePage({ connection: connection(type, saveData) });
    expect((await page.watch()).current().unmetered).toBe(expected);
  });

  test("may be presumed of an unknown network, but not of a phone's, and never for who saves data", async () => {
    const presumed = async (told: EventTarget): Promise<boolean> => (await new FakePage({ connection: told }).watch({ presumed: ["unmetered"] })).current().unmetered;
    expect([await presumed(connection(undefined)), await presumed(connection("cellular")), await presumed(connection(undefined, true))]).toEqual([true, false, false]);
  });

  test("follows the network", async () => {
    const network = connection("wifi");
    const page = new FakePage({ connection: network });
    await page.watch();
    Object.assign(network, { type: "cellular" }).dispatchEvent(new Event("change"));
    expect(page.told.map(({ unmetered }) => unmetered)).toEqual([false]);
  });
});
