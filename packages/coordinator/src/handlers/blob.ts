import type { Sha256Hex } from "@tutti/base";
import type { BlobStore } from "../blobs/blob-store.ts";
import { refuse, type Refusal } from "../refusal.ts";

/** What a blob's request asks for beside the hash. */
export type BlobRequest = { readonly hash: Sha256Hex; readonly range: string | undefined; readonly ifNoneMatch: string | undefined };

export type BlobAnswer =
  | { readonly kind: "blob"; readonly status: 200 | 206; readonly bytes: Uint8Array; readonly start: number; readonly totalBytes: number }
  | { readonly kind: "not-modified" };

/** Step 5: immutable bytes by their hash; one byte range (RFC 9110, section 14), or all. */
export async function sendBlob(blobs: BlobStore, request: BlobRequest): Promise<BlobAnswer | Refusal> {
  const totalBytes = await blobs.byteCount(request.hash);
  if (totalBytes === undefined) return refuse("unknown-blob");
  if (request.ifNoneMatch === `"${request.hash}"`) return { kind: "not-modified" };
  const range = request.range === undefined ? undefined : rangeOf(request.range, totalBytes);
  if (range === "unsatisfiable") return refuse("range-not-satisfiable", { detail: `The blob has ${totalBytes} bytes.` });
  if (range === undefined) return { kind: "blob", status: 200, bytes: await blobs.read(request.hash), start: 0, totalBytes };
  return { kind: "blob", status: 206, bytes: await blobs.read(request.hash, range), start: range.start, totalBytes };
}

/** Undefined for a header that is to be ignored: another unit, several ranges, or no sense. */
function rangeOf(header: string, totalBytes: number): { readonly start: number; readonly end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header);
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, totalBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? totalBytes : Math.min(totalBytes, Number(last) + 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  return start >= end ? "unsatisfiable" : { start, end };
}
