import { protocolVersion, type CheckInAnswer, type CheckInRequest } from "@tutti/protocol";
import type { PopulationRun } from "../population-run.ts";
import { refuse, type Refusal } from "../refusal.ts";

/** A device that speaks a protocol this server does not: come back after an update of the app. */
const upgradeRetryMs = 2 * 24 * 3600 * 1000;

/** Step 2: the tasks that have a place, and when to come again. Nothing about the device is kept. */
export function checkIn(population: PopulationRun, request: CheckInRequest): CheckInAnswer | Refusal {
  if (request.protocol > protocolVersion) {
    return refuse("upgrade-required", { detail: `Highest version served: ${protocolVersion}.`, retryAfterMs: upgradeRetryMs });
  }
  return population.checkInAnswer(request.protocol);
}
