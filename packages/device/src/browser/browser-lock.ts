import { err, ok, type Result } from "@tutti/base";
import type { Lock } from "../platform.ts";

/**
 * The profile's Web Locks: its tabs are one device, and a tab that dies gives its lock back. Where a browser
 * has none, every lock counts as held: two tabs that cannot know of each other must not both take part.
 */
export const browserLock: Lock = {
  ifFree: (name, work) => heldOrRefused(name, work, "locks" in navigator ? navigator.locks : null),
};

async function heldOrRefused<T>(name: string, work: () => Promise<T>, locks: LockManager | null): Promise<Result<T, { readonly code: "held" }>> {
  let outcome: Result<T, { readonly code: "held" }> = err({ code: "held" });
  await locks?.request(name, { ifAvailable: true }, async (lock) => {
    if (lock !== null) outcome = ok(await work());
  });
  return outcome;
}
