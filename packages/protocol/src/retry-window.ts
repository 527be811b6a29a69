import * as Type from "typebox";
import type { Static } from "typebox";
import { retryWindowMsMax } from "./limits.ts";

/**
 * Come back between `earliestMs` and `latestMs` after receipt. The device draws the moment once,
 * when the window arrives, and stores it as an absolute time of its own clock.
 */
export const RetryWindowSchema = Type.Object({
  earliestMs: Type.Number({ minimum: 0, maximum: retryWindowMsMax }),
  latestMs: Type.Number({ minimum: 0, maximum: retryWindowMsMax }),
});
export type RetryWindow = Static<typeof RetryWindowSchema>;
