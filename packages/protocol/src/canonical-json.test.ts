import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, type Json } from "./canonical-json.ts";

// RFC 8785, section 3.2.2
test("the sample of RFC 8785 becomes its canonical text", () => {
  const sample = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`) as Json;
  expect(canonicalJson(sample)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

// RFC 8785, section 3.2.3
test("keys are in the order of their UTF-16 units, not of their code points", () => {
  const sample = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
  expect([...canonicalJson(sample).matchAll(/:(\d)/g)].map((match) => match[1]).join("")).toBe("2467153");
});

// RFC 8785, appendix B: the bits of an IEEE double and the text of its number
test.each([
  ["0000000000000000", "0"], ["8000000000000000", "0"], ["0000000000000001", "5e-324"], ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"], ["4340000000000000", "9007199254740992"], ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"], ["44b52d02c7e14af6", "1e+23"], ["44b52d02c7e14af7", "1.0000000000000001e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"], ["444b1ae4d6e2ef50", "1e+21"], ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ["3eb0c6f7a0b5ed8d", "0.000001"], ["41b3de4355555553", "333333333.3333332"], ["43143ff3c1cb0959", "1424953923781206.2"],
])("the number with bits %s is written %s", (bits, text) => {
  expect(canonicalJson(Buffer.from(bits, "hex").readDoubleBE())).toBe(text);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d has no canonical text", (value) => {
  expect(() => canonicalJson({ deep: [value] })).toThrow("finite numbers only");
});

/** The same value with the keys of every object in the opposite order. */
function reordered(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => reordered(item));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).toReversed().map(([key, item]) => [key, reordered(item)]));
}

test("any value has one text, which is JSON of that value, whatever the order of its keys", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    const text = canonicalJson(value as Json);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    expect(canonicalJson(reordered(value as Json))).toBe(text);
    expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
  }));
});
