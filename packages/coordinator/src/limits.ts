/** Every maximum of the coordinator's shell, with its reason. */

/** A capability outlives its round's last moment by this: a report that began in time may end late. */
export const capabilityGraceMs = 30_000;
/** A certificate's life: a device that was away for a year enrols again. */
export const certificateLifeMs = 365 * 24 * 3600 * 1000;
/** Enrolments that a population takes per second: a fleet of a million is in within twenty minutes. */
export const enrolmentsPerSecondMax = 1000;
/** Blobs kept in memory between requests: the plans and models of the open rounds of a dozen tasks. */
export const blobCacheBytesMax = 128 * 1024 * 1024;
/** Tasks of one population: each open one has a loop, a sum and a line in every check-in's answer. */
export const tasksPerPopulationMax = 32;
/** Rounds that `task show` lists. */
export const closedRoundsShownMax = 1000;
/** Wait before a task's loop, or a checkpoint, is tried again after the world failed (disk full, store unreachable). */
export const worldFailureRetryMs = 5000;
/** A check-in's answer is used again for this long: its windows are wider by far, and a storm of check-ins costs one. */
export const checkInAnswerLifeMs = 20;
/** Bytes of an unwanted body that are read to their end to keep its connection; a longer one loses it. */
export const drainedBytesMax = 1024 * 1024;

/** Requests under way when the coordinator closes have this long: a checkpoint's longest delay. */
export const closeGraceMs = 2000;

/** Bytes of all uploads on their way: a thousand reports of 400 KB, or one of the largest. More get 503 with Retry-After. */
export const stagingBytesMax = 512 * 1024 * 1024;
/** Staging buffers kept for the next uploads: their pages need not be taken from the machine again. */
export const idleStagingBytesMax = 64 * 1024 * 1024;
/** Retry-After of an upload that found the staging memory taken. */
export const overloadedRetryMs = 1000;
/** A report's safetensors header: one tensor and the facts take about 400 bytes. */
export const reportHeaderBytesMax = 16 * 1024;
/** Kernels kept for the next round's sum: their memory does not shrink, so only a few. */
export const idleKernelsMax = 4;
/** Shortest and longest wait from a report to the checkpoint that acknowledges it: the reports of this time share one. */
export const checkpointDelayMsMin = 50;
export const checkpointDelayMsMax = 2000;
/** Part of the time that checkpoints may be written: a large sum has fewer. */
export const checkpointTimeShare = 0.1;
