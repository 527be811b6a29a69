/** Every maximum of data sets and synthetic populations, with its reason. */

/** Bytes of one compressed file: MNIST's largest has 9.6 MB. */
export const compressedBytesMax = 64 * 1024 * 1024;
/** Bytes that one file may unpack to: 60 000 digits take 47 MB; a compressed file of zeros could fill any memory. */
export const unpackedBytesMax = 256 * 1024 * 1024;
/** Examples of one data set, and so rows of its index. */
export const rowsMax = 1_000_000;
/** People of one synthetic population: each is a device with a connection of its own. */
export const syntheticPeopleMax = 10_000;
