import { unreachable, type Bytes } from "@tutti/base";
import type { Json } from "@tutti/protocol";
import type { DeviceStore, StoreWrite } from "../platform.ts";

/** A store whose content a test can look at: JSON texts by key, and byte strings. */
export type MemoryStore = DeviceStore & { readonly records: ReadonlyMap<string, string>; readonly byteStrings: ReadonlyMap<string, Uint8Array> };

/** A store that is as durable as its object: a device that dies leaves it to the next one. */
export function memoryStore(): MemoryStore {
  const records = new Map<string, string>();
  const byteStrings = new Map<string, Bytes>();
  return {
    records,
    byteStrings,
    record: (key) => Promise.resolve(parsed(records.get(key))),
    recordsUnder: (prefix) => Promise.resolve([...records.keys()].filter((key) => key.startsWith(prefix)).toSorted()
      .map((key) => ({ key, value: JSON.parse(records.get(key) ?? "null") as Json }))),
    bytes: (key) => Promise.resolve(byteStrings.get(key)?.slice()),
    write: (writes) => Promise.resolve().then(() => {
      // Whatever may fail is done before the first change.
      const changes = writes.map((write) => changeOf(write, records, byteStrings));
      for (const change of changes) change();
    }),
  };
}

function changeOf(write: StoreWrite, records: Map<string, string>, byteStrings: Map<string, Bytes>): () => void {
  switch (write.kind) {
    case "put-record": {
      const text = JSON.stringify(write.value);
      return () => records.set(write.key, text);
    }
    case "put-bytes": {
      const bytes = Uint8Array.from(write.bytes);
      return () => byteStrings.set(write.key, bytes);
    }
    case "delete-record":
      return () => records.delete(write.key);
    case "delete-bytes":
      return () => byteStrings.delete(write.key);
    default:
      return unreachable(write);
  }
}

function parsed(text: string | undefined): Json | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}
