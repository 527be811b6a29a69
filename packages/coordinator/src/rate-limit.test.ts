import { instantMs } from "@tutti/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("a bucket gives a second's worth at once, then says when the next one is there", () => {
  const limit = new RateLimit(10);
  const now = instantMs(0);
  expect(Array.from({ length: 10 }, () => limit.take(now))).toEqual(Array.from({ length: 10 }, () => 0));
  expect(limit.take(now)).toBe(100);
  expect(limit.take(instantMs(50))).toBe(50);
  expect(limit.take(instantMs(100))).toBe(0);
});

test("never more than rate · (time + 1 s) are given, whatever the clock does", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 1, maxLength: 200 }), (steps) => {
    const limit = new RateLimit(5);
    let now = 10_000;
    let elapsed = 0;
    let given = 0;
    for (const step of steps) {
      now += step;
      elapsed += Math.max(0, step);
      if (limit.take(instantMs(now)) === 0) given++;
    }
    expect(given).toBeLessThanOrEqual(5 * (elapsed / 1000 + 1) + 1e-9);
  }));
});
