import { AssertionError } from "@tutti/base";
import type { SumClause } from "@tutti/protocol";
import { expect, expectTypeOf, test } from "vitest";
import { clipByL2Norm, type ClippedDelta } from "./clip.ts";
import { disclose, type DisclosedVector, type ProtectedReport } from "./disclose.ts";

const sum: SumClause = { kind: "plain", because: "a demonstration", clipNorm: 1, weightMax: 10 };
const delta = Float32Array.of(3, 4);

/** Stands for the device's upload: takes what the type lets through and nothing else. */
function upload(report: ProtectedReport): number {
  return report.length;
}

test("what was clipped and disclosed may be uploaded, with the values that it had", () => {
  const clipped = clipByL2Norm(delta, sum.clipNorm);
  expect(disclose(clipped, sum)).toEqual(clipped);
  expect(upload(disclose(clipped, sum))).toBe(2);
});

test("an unprotected upload does not compile", () => {
  const clipped = clipByL2Norm(delta, sum.clipNorm);
  // @ts-expect-error -- a bare vector is not protected
  upload(delta);
  // @ts-expect-error -- clipping alone protects nobody
  upload(clipped);
  // @ts-expect-error -- only what was clipped is disclosed
  expect(() => disclose(delta, sum)).toThrow(AssertionError);
  expectTypeOf<Float32Array>().not.toExtend<ProtectedReport>();
  expectTypeOf<ClippedDelta>().not.toExtend<ProtectedReport>();
  expectTypeOf<Float32Array>().not.toExtend<ClippedDelta>();
  expectTypeOf<DisclosedVector>().toExtend<ProtectedReport>();
});

test("a delta that was clipped to a larger bound than the sum's is not disclosed", () => {
  expect(() => disclose(clipByL2Norm(delta, 2), sum)).toThrow("the bound of the very sum");
});

test("a plain sum that does not say why is not served", () => {
  expect(() => disclose(clipByL2Norm(delta, 1), { ...sum, because: "" })).toThrow("says why");
});
