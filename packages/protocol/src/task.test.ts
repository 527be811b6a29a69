import fc from "fast-check";
import * as Type from "typebox";
import { describe, expect, test } from "vitest";
import { decode } from "./decode.ts";
import { sumExample } from "./test/examples.ts";
import { faultsOf, TaskDocumentSchema } from "./task.ts";

const document = {
  name: "activity", description: "What a watch sees.", start: { seed: 1 }, model: {}, job: {},
  data: { collection: "windows", schemaVersion: 1, examplesMin: 1, examplesMax: 100 },
  round: { goalCount: 10, overSelection: 1.3, selectionWindowMs: 1000, selectionFractionMin: 0.5, reportingWindowMs: "adaptive", reportingFractionMin: 0.7 },
  eligibility: { conditions: ["idle"], minSeparation: 1 }, heldOutFraction: 0.2, sum: sumExample,
  serverOptimizer: { kind: "fedavg", learningRate: 1 }, durability: "memory", stop: {},
};
const told = (value: unknown, faultsMax = 50): readonly string[] => faultsOf(TaskDocumentSchema, value, faultsMax).map(({ path, expected }) => `${path} ${expected}`);

test("a document of the required fields alone has no fault", () => {
  expect(told(document)).toEqual([]);
});

describe("faults", () => {
  test("are told all at once, each with its field and what was expected in words", () => {
    expect(told({
      ...document, name: undefined, start: { foo: 1 }, durability: "tape", colour: 1, heldOutFraction: 2,
      eligibility: { conditions: ["idle", "asleep"], minSeparation: 1 }, stop: { target: { metric: "accuracy" } },
    })).toEqual([
      "/name string",
      '/start { "seed": an integer of at least 0 } or { "blob": a SHA-256 of 64 hexadecimal digits }',
      '/eligibility/conditions/1 one of "idle", "charging", "unmetered"',
      "/heldOutFraction <= 1",
      '/durability one of "checkpoint", "memory"',
      '/stop/target { "metric": accuracy | loss | mean-absolute-error, and one of "atLeast", "atMost": a number }',
      "/colour no such field",
    ]);
  });

  test("name what is missing, also inside an object, and are no more than were asked for", () => {
    const { sum: _, ...without } = document;
    expect(told({ ...without, data: {} })).toEqual(["/data/collection this field", "/data/schemaVersion this field", "/data/examplesMin this field", "/data/examplesMax this field", "/sum this field"]);
    expect(told({}, 3)).toHaveLength(3);
  });

  test("of a value that is no object are told at its root", () => {
    for (const value of [null, [], 1, "x"]) expect(told(value)).toEqual(["/ an object"]);
  });

  test("are found exactly where the schema refuses", () => {
    const fields = fc.constantFrom(...Object.keys(document));
    fc.assert(fc.property(fields, fc.jsonValue({ maxDepth: 3 }), (field, value) => {
      const changed = { ...document, [field]: value };
      expect(told(changed).length === 0).toBe(decode(TaskDocumentSchema, changed).ok);
    }), { numRuns: 1000 });
  });

  test("of a list that is too long are told at the list", () => {
    expect(faultsOf(Type.Array(Type.Integer(), { maxItems: 1 }), [1, 2], 9)).toEqual([{ code: "malformed", path: "/", expected: "not have more than 1 items" }]);
  });
});
