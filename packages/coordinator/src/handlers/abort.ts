import type { AbortRequest, AssignmentId } from "@tutti/protocol";
import { partsOfAssignment } from "@tutti/protocol";
import type { Coordinator } from "../coordinator.ts";
import type { Refusal } from "../refusal.ts";
import { isRefusal } from "../refusal.ts";

/** Step 10: a device gives its place back. Twice, or after the round closed, it changes nothing. */
export async function abort(coordinator: Coordinator, assignment: AssignmentId, token: string, request: AbortRequest): Promise<{ readonly kind: "left" } | Refusal> {
  const population = coordinator.populationOf(assignment, token);
  if (isRefusal(population)) return population;
  const { round, slot } = partsOfAssignment(assignment);
  await population.liveRound(round)?.leave(slot, request.reason, request.phases);
  return { kind: "left" };
}
