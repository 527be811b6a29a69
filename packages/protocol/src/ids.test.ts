import { AssertionError } from "@tutti/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { assignmentId, isAssignmentId, isName, partsOfAssignment, partsOfRound, populationName, roundId, taskName } from "./ids.ts";
import { nameCharactersMax } from "./limits.ts";

const anyName = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
const anyNumber = fc.integer({ min: 0, max: 999_999_999 });

test("an assignment's id gives back population, task, round and slot", () => {
  fc.assert(fc.property(anyName, anyName, anyNumber, anyNumber, (population, task, number, slot) => {
    const round = roundId(populationName(population), taskName(task), number);
    const assignment = assignmentId(round, slot);
    expect(isAssignmentId(assignment)).toBe(true);
    expect(partsOfAssignment(assignment)).toEqual({ round, slot });
    expect(partsOfRound(round)).toEqual({ population, task, number });
  }));
});

test.each(["", "-a", "A", "a_b", "a.b", "a/b", "../a", "a\n", "é", "a".repeat(nameCharactersMax + 1)])("%j is no name", (text) => {
  expect(isName(text)).toBe(false);
  expect(() => populationName(text)).toThrow(AssertionError);
  expect(() => taskName(text)).toThrow(AssertionError);
});

test.each(["p.t.0", "p.t.0.", "p.t.01.0", "p.t.0.00", "p.t.-1.0", "p.t.1e3.0", "p.t.0.0.0", "p..0.0", "p.t.0.1234567890", "p.t.0.0\n", "x p.t.0.0"])("%j is no assignment", (text) => {
  expect(isAssignmentId(text)).toBe(false);
});

test.each([-1, 0.5, 1e9, Number.NaN])("there is neither a round nor a slot %d", (number) => {
  const round = roundId(populationName("p"), taskName("t"), 1);
  expect(() => roundId(populationName("p"), taskName("t"), number)).toThrow(AssertionError);
  expect(() => assignmentId(round, number)).toThrow(AssertionError);
});

test("an id spells its fields in one way: no two slots of any rounds share it", () => {
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(fc.constantFrom("a", "a-1", "1"), fc.nat(20), fc.nat(20)), { selector: (parts) => parts.join(), minLength: 2 }), (places) => {
    const ids = places.map(([task, number, slot]) => assignmentId(roundId(populationName("p"), taskName(task), number), slot));
    expect(new Set(ids).size).toBe(places.length);
  }));
});
