import { assert } from "@tutti/base";

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The one text of a JSON value (RFC 8785): keys in the order of their UTF-16 units, no spaces,
 * numbers and strings as JSON.stringify writes them. Signed documents are hashed in this form.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "number") assert(Number.isFinite(value), "JSON holds finite numbers only");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const keys = Object.keys(value).toSorted(byUtf16Units);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`).join(",")}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function byUtf16Units(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
