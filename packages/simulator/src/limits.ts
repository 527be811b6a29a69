/** Every maximum of data sets and synthetic populations, with its reason. */

/** Bytes of one compressed file: MNIST's largest has 9.6 MB. */
export const compressedBytesMax = 64 * 1024 * 1024;
/** Bytes that one file may unpack to: 60 000 digits take 47 MB; a compressed file of zeros could fill any memory. */
export const unpackedBytesMax = 256 * 1024 * 1024;
/** Files of one half of a data set in LEAF's form: its largest, FEMNIST, has 36. */
export const leafFilesMax = 1000;
/** Numbers of one example: an image of 224 x 224 in three colours takes 150 528. */
export const exampleNumbersMax = 1_000_000;
/** Class ids of a label column, from 0 on. */
export const labelMax = 1_000_000;
/** Examples of one data set, and so rows of its index. */
export const rowsMax = 1_000_000;
/** People of one synthetic population: each is a device with a connection of its own. */
export const syntheticPeopleMax = 10_000;
/** Clients of a partition, as many as a simulation has devices at most. */
export const clientsMax = 100_000;
/** Bytes of all examples in one place: MNIST takes 188 MB as float32; a quarter of a small machine's memory. */
export const pooledBytesMax = 2 * 1024 * 1024 * 1024;
