/** Every maximum of the command line, with its reason. */

/** A task file: as large as the largest plan that may travel (protocol: planBytesMax) and its operator's part. */
export const taskFileBytesMax = 2 * 1024 * 1024;
/** A key file holds three public keys of 43 characters. */
export const keyFileBytesMax = 64 * 1024;
/** An answer of the operators' side: a task of 1000 shown rounds takes about 400 KB. */
export const operatorAnswerBytesMax = 16 * 1024 * 1024;
/** An operator's request: a coordinator that does not answer within this is not there. */
export const operatorRequestMsMax = 60_000;
/** Faults of one task file that are printed: the first explain the rest. */
export const faultsShownMax = 20;
/** Devices of one demo: each holds its examples and a conversation of its own in this process. */
export const demoDevicesMax = 5000;
/** Rounds that a demo may be asked for. */
export const demoRoundsMax = 10_000;
/** Seeds that one call runs, one after another. */
export const demoSeedsMax = 100;
/** Worker threads of a demo: beyond the cores they only take them from each other. */
export const demoWorkersMax = 256;
/** Clients that a partition deals to: as many as a simulation has devices. */
export const partClientsMax = 100_000;
/** Training rounds that a simulation may be asked for. */
export const simulationRoundsMax = 1_000_000;
