import { instantMs, type Clock } from "@tutti/base";
import { timerMsMax } from "./limits.ts";

/** The browser's clock. A worker's timers are not slowed down while its page is hidden. */
export const browserClock: Clock = {
  now: () => instantMs(Date.now()),
  sleep: async (durationMs, signal) => {
    for (let leftMs: number = durationMs; leftMs > 0; leftMs -= timerMsMax) await timer(Math.min(leftMs, timerMsMax), signal);
  },
};

function timer(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = (): void => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const id = setTimeout(end, delayMs);
    const stop = (): void => {
      clearTimeout(id);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}
