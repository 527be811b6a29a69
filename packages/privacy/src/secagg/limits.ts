/** Every maximum of the sum's protocol, with its reason. */

/** Devices in one sum: the largest case of the reference finder; its leaves alone are 32 MB. */
export const cohortSizeMax = 1_000_000;
/** Fewest devices that a plan may ask for: below it the sum says too much about each of them. */
export const nMinFloor = 20;
/** Up to this many devices everybody is everybody's neighbour. */
export const completeGraphCohortMax = 30;
/** Slots of a dealer: a share's x stays below it so that `imul(65537, x)` fits 32 bits signed. */
export const shareSlotMax = 8191;
/** Bits of one ring element: u32 lanes. */
export const ringBitsMax = 32;
/** Coordinates of one vector: 64 M, as many as the wire's largest report holds in float32. */
export const dimensionMax = 64 * 1024 * 1024;
