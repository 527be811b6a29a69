import { addDuration, durationMs } from "@tutti/base";
import { partsOfAssignment, protocolVersion, routes, type AssignmentAnswer, type AssignmentRequest } from "@tutti/protocol";
import { capabilityToken } from "../capability.ts";
import { capabilityGraceMs } from "../limits.ts";
import type { LiveRound } from "../live-round.ts";
import type { PopulationRun } from "../population-run.ts";
import { refuse, type Refusal } from "../refusal.ts";

/** Step 4: a place in the task's open round, durable before the answer leaves; or come back. */
export async function assign(population: PopulationRun, request: AssignmentRequest): Promise<AssignmentAnswer | Refusal> {
  if (request.protocol > protocolVersion) return refuse("upgrade-required", { detail: `Highest version served: ${protocolVersion}.` });
  const task = population.tasks.get(request.task);
  if (task === undefined) return refuse("unknown-task");
  const round = task.live;
  if (round === undefined || request.protocol < round.plan.protocol) return { kind: "come-back" };
  const assignment = await round.assign(request.requestId);
  if (assignment === undefined || !round.isOpen || !round.holds(partsOfAssignment(assignment).slot)) return { kind: "come-back" };
  return assigned(population, round, assignment);
}

function assigned(population: PopulationRun, round: LiveRound, assignment: Parameters<typeof routes.report>[0]): AssignmentAnswer {
  const now = population.ports.clock.now();
  const deadline = round.reportDeadline(now);
  const expiresAt = addDuration(now, durationMs(deadline + capabilityGraceMs));
  return {
    kind: "assigned",
    assignment,
    token: capabilityToken(population.tokenKey, assignment, expiresAt),
    plan: round.planBlob,
    planSignature: round.row.planSignature,
    model: round.modelBlob,
    reportUrl: routes.report(assignment),
    abortUrl: routes.abort(assignment),
    reportDeadlineMs: Math.max(1, deadline),
  };
}
