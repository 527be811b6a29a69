import { AssertionError } from "@tutti/base";
import { expect, test } from "vitest";
import { reportWeightOf } from "./weight.ts";

test("a report counts its examples, up to the plan's maximum", () => {
  expect([1, 9, 10, 11, 1_000_000].map((examples) => reportWeightOf(examples, { weightMax: 10 }))).toEqual([1, 9, 10, 10, 10]);
  expect(reportWeightOf(400, { weightMax: 1 })).toBe(1);
});

test.each([0, -1, 1.5, Number.NaN])("a report about %d examples is an assertion", (examples) => {
  expect(() => reportWeightOf(examples, { weightMax: 10 })).toThrow(AssertionError);
});
