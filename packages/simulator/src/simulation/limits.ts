/** Every maximum of a simulation, with its reason. */

/** Moments of one simulation: a participation takes about three, so ten thousand rounds of a thousand devices fit. */
export const momentsMax = 50_000_000;
/** Rounds abandoned one after the other: no simulated device becomes eligible by waiting, so more would end alike. */
export const abandonedInARowMax = 5;
/** Blobs that are kept: the open round's plan and model, and their neighbours; a model of a thousand rounds ago is never asked for. */
export const blobsKeptMax = 8;
/** Jobs of a worker at a time: the second waits in it, so that it never waits for the main thread. */
export const jobsPerWorkerMax = 2;
/** Engine memory of one worker: the largest trainer that a 32-bit WebAssembly memory leaves room for. */
export const trainerMemoryBytesMax = 1024 * 1024 * 1024;
/** Bytes of one device's examples; a held-out device may hold all that a data set tests with. */
export const deviceExampleBytesMax = 1024 * 1024 * 1024;
