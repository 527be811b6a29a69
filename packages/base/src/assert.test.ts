import { expect, test } from "vitest";
import { assert, AssertionError, unreachable } from "./assert.ts";

test("a claim that holds passes, and one that does not is thrown in its own words", () => {
  expect(() => assert(true, "it holds")).not.toThrow();
  expect(() => assert(false, "a round has a goal")).toThrow(new AssertionError("a round has a goal"));
});

test("a variant that nobody expected is named", () => {
  expect(() => unreachable({ kind: "new" } as never)).toThrow('unreachable: {"kind":"new"}');
});
