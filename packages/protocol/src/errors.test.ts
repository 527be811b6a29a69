import { expect, test } from "vitest";
import { decode } from "./decode.ts";
import { ErrorBodySchema, errorCodes, isErrorCode } from "./errors.ts";

test("every refusal has a status of a failure, a class, and a text that is a sentence", () => {
  for (const [code, { status, retry, text }] of Object.entries(errorCodes)) {
    expect(status >= 400 && status <= 599, code).toBe(true);
    expect(text, code).toMatch(/^[A-Z].*\.$/);
    expect(decode(ErrorBodySchema, { error: { code, retry, message: text } }).ok, code).toBe(true);
  }
});

test("what the client got wrong is not worth sending again; what the server failed at is", () => {
  const retryOf = (status: number): string[] => Object.values(errorCodes).filter((entry) => entry.status === status).map(({ retry }) => retry);
  for (const status of [400, 401, 403, 409, 410, 411, 413, 415, 416, 422]) expect(new Set(retryOf(status)), String(status)).toEqual(new Set(["never"]));
  for (const status of [429, 500, 503, 507]) expect(new Set(retryOf(status)), String(status)).toEqual(new Set(["transient"]));
});

test("the statuses that the protocol's page names are kept", () => {
  expect([errorCodes["unknown-population"], errorCodes["body-too-large"], errorCodes["malformed"], errorCodes["round-closed"], errorCodes["upgrade-required"]].map(({ status }) => status)).toEqual([404, 413, 400, 410, 426]);
});

test("what every object inherits is no code", () => {
  expect(isErrorCode("malformed")).toBe(true);
  for (const text of ["toString", "__proto__", "", "Malformed"]) expect(isErrorCode(text)).toBe(false);
});

test("a device understands a code that it has never seen by its class", () => {
  expect(decode(ErrorBodySchema, { error: { code: "brand-new", retry: "permanent", message: "New." }, more: 1 }).ok).toBe(true);
  expect(decode(ErrorBodySchema, { error: { code: "brand-new", retry: "sometimes", message: "New." } })).toMatchObject({ ok: false, error: { path: "/error/retry" } });
});
