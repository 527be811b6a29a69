import type { Result } from "@tutti/base";
import { CheckInAnswerSchema, decodeJson, protocolVersion, routes, type CheckInAnswer, type CheckInRequest } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import type { Failure } from "./ending.ts";
import { callServer } from "./server-call.ts";

/** Version of this SDK, for the server's counts by version. */
const sdkVersion = "0.1.0";

/** Step 2: the open tasks, and when to come again. Nothing in the request tells this device from another of its kind. */
export function checkIn(context: DeviceContext, signal: AbortSignal): Promise<Result<CheckInAnswer, Failure>> {
  const { engines, memoryBytesMax } = context.platform.trainer;
  const body: CheckInRequest = {
    protocol: protocolVersion,
    sdk: sdkVersion,
    capabilities: { engines: [...engines], memoryBytes: memoryBytesMax, formFactor: context.formFactor },
  };
  const call = { method: "POST", url: routes.checkIns(context.population), body, token: null, signal } as const;
  return callServer(context, call, (text) => decodeJson(CheckInAnswerSchema, text));
}
