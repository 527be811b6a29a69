import type { Bytes } from "@tutti/base";
import type { BlobReference } from "@tutti/protocol";
import type { DeviceContext } from "./device-context.ts";
import type { StoreWrite } from "./platform.ts";

const prefix = "blob/";

/** The cached bytes under the reference's hash; null when absent. The caller checks the hash again. */
export async function cachedBlob(context: DeviceContext, reference: BlobReference): Promise<Bytes | null> {
  const bytes = context.policy.blobCacheBytesMax === 0 ? undefined : await context.platform.store.bytes(prefix + reference.hash);
  return bytes ?? null;
}

/** Keeps a blob whose hash was checked; the oldest ones go, in the same transaction, where the cap asks for it. */
export async function cacheBlob(context: DeviceContext, reference: BlobReference, bytes: Bytes): Promise<void> {
  const cap = context.policy.blobCacheBytesMax;
  if (bytes.length > cap) return;
  const { store, clock } = context.platform;
  const key = prefix + reference.hash;
  const writes: StoreWrite[] = [
    { kind: "put-record", key, value: { bytes: bytes.length, addedAtMs: clock.now() } },
    { kind: "put-bytes", key, bytes },
  ];
  const others = (await cachedRecords(context)).filter((record) => record.key !== key);
  let total = others.reduce((sum, record) => sum + record.bytes, bytes.length);
  for (const oldest of others) {
    if (total <= cap) break;
    writes.push({ kind: "delete-record", key: oldest.key }, { kind: "delete-bytes", key: oldest.key });
    total -= oldest.bytes;
  }
  await store.write(writes);
}

/** Oldest first. */
async function cachedRecords(context: DeviceContext): Promise<readonly { readonly key: string; readonly bytes: number; readonly addedAtMs: number }[]> {
  const records = await context.platform.store.recordsUnder(prefix);
  return records.map(({ key, value }) => ({ key, ...(value as { readonly bytes: number; readonly addedAtMs: number }) })).toSorted((a, b) => a.addedAtMs - b.addedAtMs);
}
