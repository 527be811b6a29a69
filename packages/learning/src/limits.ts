/** Bounds of one report's sums: beyond them it is refused as out of range. Each is a power of two. */

/** |Σ loss| and Σ |error| of one report: 10^5 predictions with a loss of 40 000 each still pass. */
export const metricSumMax = 2 ** 32;
/** Reports in one exact sum: keeps Σ count below 2^53, with at most 10^9 predictions per report. */
export const reportsPerSumMax = 2 ** 22;
/**
 * How far a report's L2 norm may lie above the clip norm: clipping stays below it, but another machine
 * may add the squares in another order.
 */
export const normTolerance = 2 ** -20;
