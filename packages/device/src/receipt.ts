import { bytesFromBase64url } from "@tutti/base";
import { receiptBytes, type AssignmentId, type Receipt } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";

/** Step 9: whether the coordinator signed for this very report. A receipt that does not verify is no receipt. */
export async function isReceiptFor(context: DeviceContext, receipt: Receipt, report: { readonly assignment: AssignmentId; readonly modelHash: string }): Promise<boolean> {
  if (receipt.assignment !== report.assignment || receipt.modelHash !== report.modelHash) return false;
  const { signature, ...unsigned } = receipt;
  return isSignedBy(context, context.keys.receipt, { signature, bytes: receiptBytes(unsigned) });
}

/** Whether `signature` (base64url) is by the pinned `publicKey` (base64url) over `bytes`. */
export async function isSignedBy(context: DeviceContext, publicKey: string, signed: { readonly signature: string; readonly bytes: Uint8Array }): Promise<boolean> {
  const key = bytesFromBase64url(publicKey);
  const signature = bytesFromBase64url(signed.signature);
  return key.ok && signature.ok && context.platform.crypto.verify(key.value, signature.value, signed.bytes);
}
