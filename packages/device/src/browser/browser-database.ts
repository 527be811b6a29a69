/**
 * A profile's device in IndexedDB: `record` holds JSON texts and `bytes` byte strings by the store's keys,
 * `key` the key pairs by name, `setting` what the person decided, which outlives `forget()`.
 */
export type StoreName = "record" | "bytes" | "key" | "setting";

const storeNames: readonly StoreName[] = ["record", "bytes", "key", "setting"];
/** Raised whenever the object stores change. */
const schemaVersion = 1;

/** Opens the database named `name`, making it where there is none. Rejects where the browser refuses storage. */
export function openBrowserDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, schemaVersion);
  request.addEventListener("upgradeneeded", () => {
    for (const store of storeNames) request.result.createObjectStore(store);
  });
  return settled(request).then((database) => {
    // Another tab may run a later version of the app: it must not wait for this one to be closed.
    database.addEventListener("versionchange", () => database.close());
    return database;
  });
}

/** What a request gives, as a promise. */
export function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("IndexedDB gave no reason")));
  });
}

/**
 * Does `work` in one transaction: all of it or nothing, durable once resolved. Without `strict` a browser
 * may call a transaction complete that a power cut takes back.
 */
export function transact(database: IDBDatabase, stores: readonly StoreName[], work: (transaction: IDBTransaction) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([...stores], "readwrite", { durability: "strict" });
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("IndexedDB took the transaction back")));
    try {
      work(transaction);
    } catch (cause) {
      transaction.abort();
      reject(cause);
    }
  });
}

/** The value under `key`, or undefined. */
export function valueAt(database: IDBDatabase, store: StoreName, key: string): Promise<unknown> {
  return settled<unknown>(database.transaction([store], "readonly").objectStore(store).get(key));
}
