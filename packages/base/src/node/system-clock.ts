import { durationMs, instantMs, type Clock } from "@tutti/base";
import { setTimeout as sleep } from "node:timers/promises";

/** A Node timer holds at most 2^31 − 1 ms; longer waits go in pieces. */
const timerMsMax = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => instantMs(Date.now()),
  sleep: async (duration, signal) => {
    for (let left: number = duration; ; left -= timerMsMax) {
      await sleep(durationMs(Math.min(left, timerMsMax)), undefined, signal === undefined ? {} : { signal });
      if (left <= timerMsMax) return;
    }
  },
};
