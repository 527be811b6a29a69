/** Every maximum of the browser platform, with its reason. */

const mebibyte = 1024 * 1024;

/** Engine memory unless the app says otherwise: a page of a phone is closed by its system at a few times this. */
export const engineBytesDefault = 256 * mebibyte;
/** Longest delay of a browser's timer; a longer one would fire at once. */
export const timerMsMax = 2 ** 31 - 1;
/** Bytes that `getRandomValues` gives at once (Web Cryptography, 10.1.1). */
export const randomBytesMax = 65_536;
/** A file of kernels: 40 KB today. */
export const kernelBytesMax = mebibyte;
/** Rest without a key, a touch or a movement before a visible page counts as idle: a pause, not a glance. */
export const restMsDefault = 30_000;
/** Battery from which on a device counts as charging: what a day of use would not miss. */
export const batteryFloorDefault = 0.8;
