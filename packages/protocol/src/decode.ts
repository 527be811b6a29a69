import { err, ok, type Result } from "@tutti/base";
// By namespace, here and in every schema: the default export cannot be shaken apart (decision 002).
import * as Type from "typebox";
import type { Static, TSchema } from "typebox";
import { schemaFault, type Malformed } from "./schema-fault.ts";

export type { Malformed };

/**
 * The value as its schema's type, or the first fault. Interprets the schema: no code is generated,
 * so it runs under a content security policy without `unsafe-eval`. The server compiles the same
 * schemas (`typebox/compile`) and calls `firstFault` for the text of a refusal.
 */
export function decode<T extends TSchema>(schema: T, value: unknown): Result<Static<T>, Malformed> {
  return matches(schema, value) ? ok(value) : err(firstFault(schema, value));
}

/** Whether `value` is of its schema's type. */
export function matches<T extends TSchema>(schema: T, value: unknown): value is Static<T> {
  return schemaFault(schema, value) === null;
}

/** The first fault; of a union of messages that of the form which `kind` names, not of the first form. */
export function firstFault(schema: TSchema, value: unknown): Malformed {
  if (Type.IsUnion(schema)) {
    const kinds = schema.anyOf.map(kindOf);
    const form = schema.anyOf[kinds.indexOf(kindIn(value))];
    if (form !== undefined && kindOf(form) !== undefined) return firstFault(form, value);
    if (kindIn(value) !== undefined && !kinds.includes(undefined)) return { code: "malformed", path: "/kind", expected: `one of ${kinds.join(", ")}` };
  }
  return schemaFault(schema, value) ?? { code: "malformed", path: "/", expected: "a value of its schema" };
}

/** The `kind` that a form's schema fixes, if it does. */
function kindOf(form: TSchema): unknown {
  const kind = Type.IsObject(form) ? form.properties["kind"] : undefined;
  return kind !== undefined && Type.IsLiteral(kind) ? kind.const : undefined;
}

function kindIn(value: unknown): unknown {
  return typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
}

/** JSON text as a value of `schema`; text that is no JSON is a fault at "/". */
export function decodeJson<T extends TSchema>(schema: T, text: string): Result<Static<T>, Malformed> {
  const parsed = parseJson(text);
  return parsed.ok ? decode(schema, parsed.value) : parsed;
}

/** The value that JSON text spells, not decoded yet; other text is a fault at "/". */
export function parseJson(text: string): Result<unknown, Malformed> {
  try {
    return ok(JSON.parse(text) as unknown);
  } catch {
    return err({ code: "malformed", path: "/", expected: "JSON" });
  }
}
