import { sha256Hex } from "@tutti/base";
import { expect, test } from "vitest";
import { cacheBlob, cachedBlob } from "./blob-cache.ts";
import type { DeviceContext } from "./device-context.ts";
import { defaultPolicy } from "./policy.ts";
import { deviceWorld } from "./test/device-world.ts";
import { population } from "./test/scripted-task.ts";

async function contextWith(blobCacheBytesMax: number): Promise<DeviceContext> {
  const { coordinator, platform } = await deviceWorld();
  return { population, coordinatorUrl: "", keys: coordinator.keys, platform, formFactor: "other", cohort: null, policy: { ...defaultPolicy, blobCacheBytesMax } };
}

function reference(digit: string, bytes: number) {
  return { hash: sha256Hex(digit.repeat(64)), bytes, url: "/" };
}

test("over its cap the cache drops the blobs that came first", async () => {
  const context = await contextWith(100);
  let now = context.platform.clock.now();
  const timed = { ...context, platform: { ...context.platform, clock: { ...context.platform.clock, now: () => now++ as typeof now } } };
  for (const digit of ["c", "a", "b"]) await cacheBlob(timed, reference(digit, 40), new Uint8Array(40));
  expect([await cachedBlob(timed, reference("c", 40)), (await cachedBlob(timed, reference("a", 40)))?.length, (await cachedBlob(timed, reference("b", 40)))?.length]).toEqual([null, 40, 40]);
});

test("a blob larger than the cap displaces nothing, and a cap of 0 keeps nothing", async () => {
  const context = await contextWith(100);
  await cacheBlob(context, reference("a", 100), new Uint8Array(100));
  await cacheBlob(context, reference("b", 101), new Uint8Array(101));
  expect([(await cachedBlob(context, reference("a", 100)))?.length, await cachedBlob(context, reference("b", 101))]).toEqual([100, null]);
  const none = await contextWith(0);
  await cacheBlob(none, reference("a", 0), new Uint8Array(0));
  expect(await cachedBlob(none, reference("a", 0))).toBeNull();
});
