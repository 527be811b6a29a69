import type { SecureRandom } from "@tutti/base";
import type { ConditionsSource, LocalTrainer, Platform } from "../platform.ts";
import { browserClock } from "./browser-clock.ts";
import { browserCrypto } from "./browser-crypto.ts";
import { browserFetch } from "./browser-fetch.ts";
import { browserLock } from "./browser-lock.ts";
import { browserStore } from "./browser-store.ts";

/** What a browser's platform is made of besides the browser's own APIs. */
export type BrowserParts = { readonly database: IDBDatabase; readonly trainer: LocalTrainer; readonly conditions: ConditionsSource; readonly random: SecureRandom };

/** The platform of a browser's thread: a worker's or, where nothing is trained, a page's. */
export function browserPlatform({ database, trainer, conditions, random }: BrowserParts): Platform {
  return {
    fetch: browserFetch,
    crypto: browserCrypto(database),
    store: browserStore(database),
    lock: browserLock,
    clock: browserClock,
    random, trainer, conditions,
  };
}
