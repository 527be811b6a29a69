import { assert, type Bytes } from "@tutti/base";
import type { Json } from "@tutti/protocol";
import type { DeviceStore, StoreWrite } from "../platform.ts";
import { settled, transact, valueAt } from "./browser-database.ts";

/** The device's store in IndexedDB: one strictly durable transaction per write. */
export function browserStore(database: IDBDatabase): DeviceStore {
  return {
    record: async (key) => {
      const text = await valueAt(database, "record", key);
      return text === undefined ? undefined : jsonOf(text);
    },
    recordsUnder: async (prefix) => {
      const records = database.transaction(["record"], "readonly").objectStore("record");
      // IndexedDB orders strings by their UTF-16 units, as the port asks.
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`, false, true);
      const [keys, texts] = await Promise.all([settled(records.getAllKeys(range)), settled<unknown[]>(records.getAll(range))]);
      return keys.map((key, i) => ({ key: textOf(key), value: jsonOf(texts[i]) }));
    },
    bytes: async (key) => {
      const bytes = await valueAt(database, "bytes", key);
      return bytes === undefined ? undefined : bytesOf(bytes);
    },
    write: (writes) => transact(database, ["record", "bytes"], (transaction) => {
      const stores = { record: transaction.objectStore("record"), bytes: transaction.objectStore("bytes") };
      for (const write of writes) perform(stores, write);
    }),
  };
}

type Stores = { readonly record: IDBObjectStore; readonly bytes: IDBObjectStore };

function perform(stores: Stores, write: StoreWrite): void {
  switch (write.kind) {
    case "put-record":
      stores.record.put(JSON.stringify(write.value), write.key);
      break;
    case "delete-record":
      stores.record.delete(write.key);
      break;
    case "put-bytes":
      // A clone of a view would carry the whole buffer behind it.
      stores.bytes.put(write.bytes.slice(), write.key);
      break;
    case "delete-bytes":
      stores.bytes.delete(write.key);
      break;
  }
}

function jsonOf(value: unknown): Json {
  return JSON.parse(textOf(value)) as Json;
}

function textOf(value: unknown): string {
  assert(typeof value === "string", "keys are texts, and a record is JSON text");
  return value;
}

/** A clone of what was put: its buffer is its own. */
function bytesOf(value: unknown): Bytes {
  assert(value instanceof Uint8Array && value.buffer instanceof ArrayBuffer, "a byte string is a Uint8Array");
  return value as Bytes;
}
