import { assert, unreachable } from "@tutti/base";
import type { TSchema } from "typebox";

/** Where a message breaks its schema, as a JSON pointer, and what was expected there. */
export type Malformed = { readonly code: "malformed"; readonly path: string; readonly expected: string };

/** The keywords of JSON Schema that our messages use, with JSON Schema's meaning. */
type Keywords = {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean" | "null";
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  readonly patternProperties?: Readonly<Record<string, Keywords>>;
  readonly properties?: Readonly<Record<string, Keywords>>;
  readonly items?: Keywords;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly exclusiveMinimum?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly const?: unknown;
  readonly anyOf?: readonly Keywords[];
  readonly description?: string;
};

const keywordNames: ReadonlySet<string> = new Set<keyof Keywords>([
  "type", "required", "additionalProperties", "patternProperties", "properties", "items", "minItems", "maxItems",
  "minLength", "maxLength", "pattern", "exclusiveMinimum", "minimum", "maximum", "const", "anyOf", "description",
]);

type Value = { readonly value: unknown; readonly path: string };

/**
 * The first fault of `value`, or null. Interprets the schema, so that it runs where a content security
 * policy forbids `eval`; typebox's own interpreter knows all of JSON Schema, idn-hostname included, and
 * costs a device 12 KB (gzip) of its 60. This one knows our keywords, in typebox's order and words, and
 * asserts that a schema has no others.
 */
export function schemaFault(schema: TSchema, value: unknown): Malformed | null {
  return faultAt(schema, { value, path: "" });
}

function faultAt(schema: Keywords, at: Value): Malformed | null {
  for (const name in schema) assert(keywordNames.has(name), "a schema has the keywords that are checked here, and no others");
  if (schema.type !== undefined && !isOfType(schema.type, at.value)) return fault(at, `must be ${schema.type}`);
  return partsFault(schema, at) ?? constFault(schema, at) ?? unionFault(schema.anyOf, at);
}

function partsFault(schema: Keywords, { value, path }: Value): Malformed | null {
  if (isRecord(value)) return objectFault(schema, { value, path });
  if (Array.isArray(value)) return arrayFault(schema, { value, path });
  if (typeof value === "string") return textFault(schema, { value, path });
  return typeof value === "number" ? numberFault(schema, { value, path }) : null;
}

function isOfType(type: NonNullable<Keywords["type"]>, value: unknown): boolean {
  switch (type) {
    case "object":
      return isRecord(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    case "null":
      return value === null;
    case "string": case "boolean":
      return typeof value === type;
    default:
      return unreachable(type);
  }
}

type RecordAt = { readonly value: Readonly<Record<string, unknown>>; readonly path: string };

function objectFault({ required = [], additionalProperties, patternProperties = {}, properties = {} }: Keywords, at: RecordAt): Malformed | null {
  const { value, path } = at;
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  if (missing.length > 0) return fault(at, `required fields (${missing.join(", ")})`);
  const extra = additionalProperties === false ? Object.keys(value).find((name) => !Object.hasOwn(properties, name)) : undefined;
  if (extra !== undefined) return fault({ value, path: `${path}/${pointer(extra)}` }, "no such field");
  for (const [pattern, schema] of Object.entries(patternProperties)) {
    const names = Object.keys(value).filter((name) => new RegExp(pattern, "u").test(name));
    const found = firstOf(names, (name) => faultAt(schema, { value: value[name], path: `${path}/${pointer(name)}` }));
    if (found !== null) return found;
  }
  return firstOf(Object.entries(properties), ([name, schema]) => {
    const isAbsent = !Object.hasOwn(value, name) || (value[name] === undefined && !required.includes(name));
    return isAbsent ? null : faultAt(schema, { value: value[name], path: `${path}/${name}` });
  });
}

function arrayFault({ items, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: Keywords, at: { readonly value: readonly unknown[]; readonly path: string }): Malformed | null {
  const { value, path } = at;
  const inItems = items === undefined ? null : firstOf([...value.keys()], (i) => faultAt(items, { value: value[i], path: `${path}/${i}` }));
  if (inItems !== null) return inItems;
  if (value.length < minItems) return fault(at, `must not have fewer than ${minItems} items`);
  return value.length > maxItems ? fault(at, `must not have more than ${maxItems} items`) : null;
}

/** Lengths are code points, as JSON Schema counts them. */
function textFault({ minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern }: Keywords, at: { readonly value: string; readonly path: string }): Malformed | null {
  const { value } = at;
  if (value.length < 2 * minLength && codePointCount(value) < minLength) return fault(at, `must not have fewer than ${minLength} characters`);
  // A text of more than twice as many units is too long without being taken apart.
  if (value.length > maxLength && (value.length > 2 * maxLength || codePointCount(value) > maxLength)) return fault(at, `must not have more than ${maxLength} characters`);
  return pattern === undefined || new RegExp(pattern, "u").test(value) ? null : fault(at, `must match pattern "${pattern}"`);
}

function codePointCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function numberFault({ exclusiveMinimum, minimum, maximum }: Keywords, at: { readonly value: number; readonly path: string }): Malformed | null {
  const { value } = at;
  if (exclusiveMinimum !== undefined && !(value > exclusiveMinimum)) return fault(at, `must be > ${exclusiveMinimum}`);
  if (minimum !== undefined && !(value >= minimum)) return fault(at, `must be >= ${minimum}`);
  return maximum !== undefined && !(value <= maximum) ? fault(at, `must be <= ${maximum}`) : null;
}

function constFault(schema: Keywords, at: Value): Malformed | null {
  return "const" in schema && at.value !== schema.const ? fault(at, "must be equal to constant") : null;
}

/** Of a union the first form's fault, unless any form has none. */
function unionFault(forms: readonly Keywords[] | undefined, at: Value): Malformed | null {
  if (forms === undefined) return null;
  const [first = null, ...others] = forms.map((form) => faultAt(form, at));
  return others.includes(null) ? null : first;
}

function fault({ path }: Value, expected: string): Malformed {
  return { code: "malformed", path: path === "" ? "/" : path, expected };
}

function firstOf<T>(parts: readonly T[], faultOf: (part: T) => Malformed | null): Malformed | null {
  for (const part of parts) {
    const found = faultOf(part);
    if (found !== null) return found;
  }
  return null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** RFC 6901. */
function pointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
