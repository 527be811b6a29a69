import fc from "fast-check";
import * as Type from "typebox";
import type { TSchema } from "typebox";
import { Errors } from "typebox/schema";
import { describe, expect, test } from "vitest";
import * as protocol from "./index.ts";
import { schemaFault, type Malformed } from "./schema-fault.ts";

/** What typebox says first, in our form: the whole of JSON Schema, and the oracle here. */
function typeboxFault(schema: TSchema, value: unknown): Malformed | null {
  const [isSound, faults] = Errors(schema, value);
  const [first] = faults;
  if (isSound || first === undefined) return null;
  const words = { boolean: "no such field", required: first.keyword === "required" ? `required fields (${first.params.requiredProperties.join(", ")})` : "" };
  const expected = first.keyword === "boolean" || first.keyword === "required" ? words[first.keyword] : first.message;
  return { code: "malformed", path: first.instancePath === "" ? "/" : first.instancePath, expected };
}

const schemas = Object.entries(protocol).filter(([name]) => name.endsWith("Schema")).map(([name, schema]) => ({ name, schema: schema as TSchema }));

/** Values that a schema takes, as far as its types and names go; limits and patterns may still refuse them. */
function near(schema: TSchema): fc.Arbitrary<unknown> {
  if (Type.IsUnion(schema)) return fc.oneof(...schema.anyOf.map(near));
  if (Type.IsLiteral(schema)) return fc.constant(schema.const);
  if (Type.IsArray(schema)) return fc.array(near(schema.items), { maxLength: 3 });
  if (Type.IsRecord(schema)) return fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.integer(), fc.string()));
  if (Type.IsObject(schema)) return fc.record(Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, near(field)])));
  if (Type.IsString(schema)) return "pattern" in schema && typeof schema.pattern === "string" ? fc.stringMatching(new RegExp(schema.pattern)) : fc.string({ unit: "binary" });
  if (Type.IsInteger(schema)) return fc.integer({ min: -2, max: 2_000_000_000 });
  if (Type.IsNumber(schema)) return fc.double();
  return fc.oneof(fc.constant(null), fc.boolean(), fc.jsonValue({ maxDepth: 2 }));
}

/** A value with one part of it, at any depth, made into something else, taken out or added. */
function changed(value: unknown): fc.Arbitrary<unknown> {
  const other = fc.oneof(fc.constantFrom<unknown>(undefined, Number.NaN, -1, 0, 1.5, "", "x".repeat(600), "\u{1F600}".repeat(300), null, [], {}), fc.jsonValue({ maxDepth: 1 }));
  if (typeof value !== "object" || value === null) return other;
  const names = Object.keys(value);
  const inside = names.length === 0 ? [] : [fc.constantFrom(...names).chain((name) => changed((value as Record<string, unknown>)[name]).map((part) => (Array.isArray(value) ? value.with(Number(name), part) : { ...value, [name]: part })))];
  const without = names.length === 0 ? [] : [fc.constantFrom(...names).map((name) => Object.fromEntries(Object.entries(value).filter(([kept]) => kept !== name)))];
  return fc.oneof(other, fc.tuple(fc.string({ maxLength: 3 }), other).map(([name, part]) => ({ ...value, [name]: part })), ...inside, ...without);
}

describe.each(schemas)("$name", ({ schema }) => {
  test("finds in any value the fault that typebox names first, and none where typebox finds none", () => {
    const values = near(schema).chain((value) => fc.oneof(fc.constant(value), changed(value)));
    fc.assert(fc.property(values, (value) => {
      expect(schemaFault(schema, value)).toEqual(typeboxFault(schema, value));
    }), { numRuns: 300 });
  });
});

test("the protocol's schemas are all among those that were compared", () => {
  expect(schemas.map(({ name }) => name)).toEqual(expect.arrayContaining(["PlanSchema", "CheckInAnswerSchema", "AssignmentAnswerSchema", "ReceiptSchema", "TaskDocumentSchema", "TaskDetailSchema"]));
});

test("a schema with a keyword that is not interpreted is no schema of ours", () => {
  expect(() => schemaFault(Type.String({ format: "email" }), "x")).toThrow("no others");
  expect(() => schemaFault(Type.Object({ a: Type.Number({ multipleOf: 2 }) }), { a: 2 })).toThrow("no others");
});

test("a length is counted in code points", () => {
  const schema = Type.String({ minLength: 2, maxLength: 3 });
  expect(schemaFault(schema, "\u{1F600}")).toMatchObject({ expected: "must not have fewer than 2 characters" });
  expect(schemaFault(schema, "\u{1F600}\u{1F600}\u{1F600}")).toBeNull();
  expect(schemaFault(schema, "abcd")).toMatchObject({ expected: "must not have more than 3 characters" });
});
