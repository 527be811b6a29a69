import { base64urlFromBytes, type Result } from "@tutti/base";
import { AssignmentAnswerSchema, decodeJson, protocolVersion, routes, type AssignmentAnswer, type AssignmentRequest, type TaskName } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import type { Failure } from "./ending.ts";
import { callServer } from "./server-call.ts";

/** Drawn afresh for every assignment and stored before it is sent: the same id gets the same place. */
export function assignmentRequest(context: DeviceContext, task: TaskName): AssignmentRequest {
  const requestId = base64urlFromBytes(context.platform.random.bytes(16));
  return { population: context.population, task, protocol: protocolVersion, requestId };
}

/** Step 4: a place in the round, or come back. No device key is asked for. */
export function askForAssignment(context: DeviceContext, request: AssignmentRequest, signal: AbortSignal): Promise<Result<AssignmentAnswer, Failure>> {
  const call = { method: "POST", url: routes.assignments(), body: request, token: null, signal } as const;
  return callServer(context, call, (text) => decodeJson(AssignmentAnswerSchema, text));
}
