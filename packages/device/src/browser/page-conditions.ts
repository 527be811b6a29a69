import type { Conditions } from "../platform.ts";
import { batteryFloorDefault, restMsDefault } from "./limits.ts";

/** What the page sees; a worker sees neither its visibility nor the battery. */
export type PageConditions = Omit<Conditions, "consent">;

/** When a page's conditions hold. */
export type ConditionRules = {
  /** Idle is a visible page that nobody has used for `restMs`; or any visible page; or always, hidden too. */
  readonly idleWhile: "at-rest" | "visible" | "always";
  readonly restMs: number;
  /** Charging, or a battery of at least this level, 0 to 1. */
  readonly batteryFloor: number;
  /** Taken for true where the browser does not tell. Firefox and Safari tell neither, Chromium no network on desktops. */
  readonly presumed: readonly ("charging" | "unmetered")[];
};

/** Nothing is presumed: where an API is missing, its condition does not hold. */
export const defaultRules: ConditionRules = { idleWhile: "at-rest", restMs: restMsDefault, batteryFloor: batteryFloorDefault, presumed: [] };

/** The Battery Status API, which Chromium alone has. */
type Battery = EventTarget & { readonly charging: boolean; readonly level: number };
/** The Network Information API, which Chromium alone has; `type` only on phones and ChromeOS. */
type Connection = EventTarget & { readonly type?: string; readonly saveData?: boolean };

type Watch = { readonly current: () => PageConditions; readonly dispose: () => void };

/** Watches the page; `onChange` is told after each change of a condition. */
export async function watchPage(rules: ConditionRules, onChange: (conditions: PageConditions) => void): Promise<Watch> {
  const battery = await batteryOf(navigator);
  const connection = connectionOf(navigator);
  const ends = new AbortController();
  const rest = watchRest(rules, ends.signal, () => judge());
  const measured = (): PageConditions => ({
    idle: isIdle(rules, rest.isAtRest()),
    charging: battery === null ? rules.presumed.includes("charging") : battery.charging || battery.level >= rules.batteryFloor,
    unmetered: isUnmetered(rules, connection),
  });
  let conditions = measured();
  const judge = (): void => {
    const now = measured();
    if (now.idle === conditions.idle && now.charging === conditions.charging && now.unmetered === conditions.unmetered) return;
    conditions = now;
    onChange(now);
  };
  const listen = (target: EventTarget | null, type: string): void => target?.addEventListener(type, judge, { signal: ends.signal });
  listen(document, "visibilitychange");
  listen(battery, "chargingchange");
  listen(battery, "levelchange");
  listen(connection, "change");
  return { current: () => conditions, dispose: () => ends.abort() };
}

function isIdle({ idleWhile }: ConditionRules, isAtRest: boolean): boolean {
  if (idleWhile === "always") return true;
  return document.visibilityState === "visible" && (idleWhile === "visible" || isAtRest);
}

/** Whoever asks for less data gets none of ours, whatever the app presumes. */
function isUnmetered({ presumed }: ConditionRules, connection: Connection | null): boolean {
  if (connection?.saveData === true) return false;
  const type = connection?.type ?? "unknown";
  return type === "unknown" ? presumed.includes("unmetered") : type === "wifi" || type === "ethernet";
}

const uses = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll"];

/** Whether nobody has used the page for `restMs`; `onTurn` is told when that begins and when it ends. */
function watchRest({ idleWhile, restMs }: ConditionRules, signal: AbortSignal, onTurn: () => void): { isAtRest(): boolean } {
  let isAtRest = restMs === 0;
  let lastUse = performance.now();
  const settle = (): void => {
    if (signal.aborted) return;
    const leftMs = restMs - (performance.now() - lastUse);
    if (leftMs > 0) {
      setTimeout(settle, leftMs);
      return;
    }
    isAtRest = true;
    onTurn();
  };
  // One timer at a time: a use while the page is not at rest only moves the moment that the timer looks for.
  const use = (): void => {
    lastUse = performance.now();
    if (!isAtRest) return;
    isAtRest = false;
    setTimeout(settle, restMs);
    onTurn();
  };
  if (idleWhile !== "at-rest") return { isAtRest: () => true };
  if (!isAtRest) setTimeout(settle, restMs);
  for (const type of uses) addEventListener(type, use, { signal, capture: true, passive: true });
  return { isAtRest: () => isAtRest };
}

/** null where the browser has no such API, or refuses it to this page. */
async function batteryOf(navigator: Navigator): Promise<Battery | null> {
  if (!tellsBattery(navigator)) return null;
  try {
    return await navigator.getBattery();
  } catch {
    return null;
  }
}

function tellsBattery(navigator: Navigator): navigator is Navigator & { getBattery(): Promise<Battery> } {
  return "getBattery" in navigator && typeof navigator.getBattery === "function";
}

function connectionOf(navigator: Navigator): Connection | null {
  return "connection" in navigator && navigator.connection instanceof EventTarget ? navigator.connection : null;
}
