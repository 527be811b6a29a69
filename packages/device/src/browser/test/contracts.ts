import type { Clause } from "../../test/contract.ts";
import { cryptoContract } from "../../test/crypto.contract.ts";
import { lockContract } from "../../test/lock.contract.ts";
import { storeContract } from "../../test/store.contract.ts";
import { openBrowserDatabase } from "../browser-database.ts";
import { browserCrypto } from "../browser-crypto.ts";
import { browserLock } from "../browser-lock.ts";
import { browserStore } from "../browser-store.ts";

/** How one clause of a port's contract ended in this browser; `fault` is null where it held. */
export type ClauseOutcome = { readonly port: string; readonly clause: string; readonly fault: string | null };

/** Runs wherever it is loaded, in a page as in a worker, and tells every tab what came of it. */
const outcomes = [
  ...(await outcomesOf("store", storeContract, async (name) => browserStore(await openBrowserDatabase(name)))),
  ...(await outcomesOf("crypto", cryptoContract, async (name) => browserCrypto(await openBrowserDatabase(name)))),
  ...(await outcomesOf("lock", lockContract, () => Promise.resolve(browserLock))),
];
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin
new BroadcastChannel("contracts").postMessage(outcomes);

async function outcomesOf<Subject>(port: string, contract: readonly Clause<Subject>[], subjectIn: (database: string) => Promise<Subject>): Promise<readonly ClauseOutcome[]> {
  const found: ClauseOutcome[] = [];
  for (const clause of contract) {
    const fault = await subjectIn(crypto.randomUUID()).then((subject) => clause.run(subject)).then(() => null, String);
    found.push({ port, clause: clause.name, fault });
  }
  return found;
}
