import { expect, test } from "vitest";
import { AssertionError } from "./assert.ts";
import { addDuration, durationBetween, durationMs, instantMs } from "./time.ts";

test("the time between two moments is what leads from one to the other, and 0 once it has passed", () => {
  const [earlier, later] = [instantMs(100), instantMs(350)];
  expect(durationBetween(earlier, later)).toBe(250);
  expect(addDuration(earlier, durationBetween(earlier, later))).toBe(later);
  expect(durationBetween(later, earlier)).toBe(0);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])("%d is neither a moment nor a duration", (value) => {
  expect(() => instantMs(value)).toThrow(AssertionError);
  expect(() => durationMs(value)).toThrow(AssertionError);
});

test("no duration is negative, while a moment before 1970 is one", () => {
  expect(() => durationMs(-1)).toThrow("at least 0");
  expect(instantMs(-1)).toBe(-1);
});
