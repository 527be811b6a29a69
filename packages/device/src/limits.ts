/** Every maximum of the device, with its reason. */

/** Entries kept in the ledger; older ones are dropped: a device that checks in hourly keeps three weeks. */
export const ledgerEntriesMax = 512;
/** Bytes of cached blobs unless the app says otherwise: a few models of a phone's size. */
export const blobCacheBytesMax = 64 * 1024 * 1024;
/** Attempts to go on with a download that broke off: a train tunnel, not a dead network. */
export const downloadAttemptsMax = 5;
/** Longest pause for which a server may hold one conversation open (503 while others upload); a longer one ends it. */
export const requestWaitMsMax = 30_000;
/** Bytes of examples per collection unless the app says otherwise. */
export const collectionBytesMax = 64 * 1024 * 1024;
/** Batches per collection: each costs a record; an app adds windows by the minute, not by the sample. */
export const collectionBatchesMax = 100_000;
/** Longest wait that the device accepts from anyone. A stored moment beyond it is redrawn. */
export const retryDelayMsMax = 30 * 24 * 3600 * 1000;
/** Characters of a cause kept in the ledger: enough for a sentence, whatever an engine or a network wrote. */
export const detailCharactersMax = 200;
