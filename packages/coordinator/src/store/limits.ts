/** Every maximum of the stores, with its reason. */

/**
 * From the end of one group commit to the next, unless `groupRowsEnough` wait. A flush keeps the thread for
 * 1 to 4 ms; with the pause it has the thread at most half of the time. Measured at 300 rows a second it costs
 * 2 to 4 ms of the median latency (3.8 without it); 64 callers with 0.1 ms of work each get a third more done.
 */
export const groupPauseMs = 5;
/** Hot rows that make the next group commit at once: they share a flush well enough. */
export const groupRowsEnough = 50;
/** Changes of one transaction: 1000 take 12 ms beside their flush, in which the thread answers nobody. */
export const groupChangesMax = 1000;
/** Wait before the log is truncated again after the disk refused; until then a closed round's key lies in it. */
export const erasureRetryMs = 1000;
