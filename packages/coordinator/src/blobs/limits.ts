/** Every maximum of the blob stores, beside `blobCacheBytesMax` of the coordinator, with its reason. */

/** Blobs too large for the cache that are remembered as verified: more than the open rounds of a folder have, in 64 bytes each. */
export const verifiedBlobsMax = 1024;
