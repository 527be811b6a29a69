import fc from "fast-check";
import { expect, test } from "vitest";
import { allFinite } from "./finite.ts";

test("says of any values what a look at each of them says", () => {
  fc.assert(fc.property(fc.oneof(fc.float32Array(), fc.float64Array()), (values) => {
    expect(allFinite(values)).toBe(values.every((value) => Number.isFinite(value)));
  }));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("finds %d in every place", (poison) => {
  for (let at = 0; at < 5; at++) expect(allFinite(new Float32Array(5).fill(poison, at, at + 1))).toBe(false);
});
