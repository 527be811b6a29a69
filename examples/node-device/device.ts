import { createDevice, defaultPolicy, type LedgerEntry } from "@tutti/device";
import { inProcessTrainer, NodeDatabase, nodeFetch, nodePlatform, processLock, settableConditions } from "@tutti/device/node";
import { examples, settings } from "./app.ts";

/** A device in a Node program: all else here is the program's own. */
export async function takePart(file: string): Promise<readonly LedgerEntry[]> {
  const shared = { database: new NodeDatabase(file), fetch: nodeFetch(), trainer: inProcessTrainer(), lock: processLock() };
  const conditions = settableConditions({ idle: true, charging: true, unmetered: true, consent: true });
  const platform = nodePlatform("gateway", shared, conditions);
  const device = createDevice({ ...settings, platform, policy: { ...defaultPolicy, allowPlain: true } });
  await device.examples.add("points", 1, examples);
  await device.participate();
  return device.ledger();
}
