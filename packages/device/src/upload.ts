import { err, ok, type Result } from "@tutti/base";
import { decodeJson, ReceiptSchema, ReportBeginAnswerSchema, type Receipt, type ReportBeginAnswer, type ReportBeginRequest } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import { failure, type Failure } from "./ending.ts";
import type { PendingReport } from "./participation-record.ts";
import type { ReportFile } from "./protect.ts";
import { isReceiptFor } from "./receipt.ts";
import { callServer } from "./server-call.ts";

/** Step 7: whether the report is still wanted, before its bytes are paid for. */
export function askBeforeUpload(context: DeviceContext, pending: PendingReport, file: ReportFile, signal: AbortSignal): Promise<Result<ReportBeginAnswer, Failure>> {
  const body: ReportBeginRequest = { reportBytes: file.length, phases: pending.phases };
  const call = { method: "POST", url: `${pending.assigned.reportUrl}:begin`, body, token: pending.assigned.token, signal } as const;
  return callServer(context, call, (text) => decodeJson(ReportBeginAnswerSchema, text));
}

/** Step 8: the report's bytes, the same ones at every try, against a receipt that verifies. */
export async function upload(context: DeviceContext, pending: PendingReport, file: ReportFile, signal: AbortSignal): Promise<Result<Receipt, Failure>> {
  const { assigned, modelHash } = pending;
  const call = { method: "PUT", url: assigned.reportUrl, body: file, token: assigned.token, signal } as const;
  const receipt = await callServer(context, call, (text) => decodeJson(ReceiptSchema, text));
  if (!receipt.ok) return receipt;
  const isGenuine = await isReceiptFor(context, receipt.value, { assignment: assigned.assignment, modelHash });
  return isGenuine ? ok(receipt.value) : err(failure("receipt-forged", "permanent", "the receipt's signature or content does not verify"));
}
