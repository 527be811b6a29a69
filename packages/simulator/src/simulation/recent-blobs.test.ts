import { expect, test } from "vitest";
import { recentBlobs } from "./recent-blobs.ts";

const bytes = (value: number): Uint8Array => Uint8Array.of(value, 7, 9);

test("the blobs that were used last are kept, and the others forgotten", async () => {
  const blobs = recentBlobs(2);
  const [first, second] = [await blobs.put(bytes(1)), await blobs.put(bytes(2))];
  expect(await blobs.byteCount(first)).toBe(3);
  const third = await blobs.put(bytes(3));
  expect([await blobs.byteCount(first), await blobs.byteCount(second), await blobs.byteCount(third)]).toEqual([3, undefined, 3]);
  expect(await blobs.read(first)).toEqual(bytes(1));
  expect(await blobs.read(third, { start: 1, end: 3 })).toEqual(Uint8Array.of(7, 9));
  await expect(blobs.read(second)).rejects.toThrow("a blob is read while it is one of the newest");
});
