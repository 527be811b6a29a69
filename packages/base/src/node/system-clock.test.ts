import { durationMs } from "@tutti/base";
import { expect, test } from "vitest";
import { systemClock, systemRandom } from "./index.ts";

test("the machine's clock moves forward while it sleeps", async () => {
  const before = systemClock.now();
  await systemClock.sleep(durationMs(2));
  expect(systemClock.now()).toBeGreaterThan(before);
});

test("a sleep longer than a timer holds does not end at once, and ends with its signal's reason", async () => {
  const controller = new AbortController();
  const sleep = systemClock.sleep(durationMs(2 ** 33), controller.signal);
  expect(await Promise.race([sleep, systemClock.sleep(durationMs(2)).then(() => "asleep")])).toBe("asleep");
  controller.abort(new Error("woken"));
  await expect(sleep).rejects.toThrow();
});

test("the machine's randomness has the length that was asked for, and does not repeat", () => {
  expect(systemRandom.bytes(0)).toHaveLength(0);
  const [one, two] = [systemRandom.bytes(32), systemRandom.bytes(32)];
  expect(one).toHaveLength(32);
  expect(one).not.toEqual(two);
});
