import { describe, expect, it } from "vitest";
import vectors from "../../../../vectors/privacy.json" with { type: "json" };
import { type AdversaryClass, defaultTargets, findGraphParameters, type SecurityTargets, sumParameters } from "./parameters.ts";

// NONE is the curious server with no colluder: its cases have adversarial_rate 0.
const classes: Readonly<Record<string, AdversaryClass>> = { CURIOUS_SERVER: "curious", SEMI_MALICIOUS_SERVER: "semi-malicious", NONE: "curious" };

function found(n: number, targets: Partial<SecurityTargets>): string {
  const result = findGraphParameters(n, { ...defaultTargets, ...targets });
  return result.ok ? `${result.value.neighbourCount}/${result.value.shareThreshold}` : result.error.code;
}

describe("the finder", () => {
  it.each(vectors.upstream.secagg_harary.cases)("gives the reference's degree for %o", (one) => {
    const adversary = classes[one.adversary_class];
    if (adversary === undefined) throw new Error(`unknown class ${one.adversary_class}`);
    const result = findGraphParameters(one.n, {
      ...defaultTargets, adversary, colludingFraction: one.adversarial_rate, dropoutFraction: one.dropout_rate,
    });
    expect(result.ok && result.value.neighbourCount).toBe(one.degree);
    expect(result.ok && result.value.shareThreshold).toBeLessThanOrEqual(one.threshold_max);
  });

  const hardened = vectors.generated.secagg_harary_cut_hardened;
  it.each(Object.entries(hardened.rows))("gives the hardened row γ/δ = %s", (rates, row) => {
    const [colludingFraction = 0, dropoutFraction = 0] = rates.split("/").map(Number);
    expect(hardened.n.map((n) => found(n, { colludingFraction, dropoutFraction })).join(" ")).toBe(row);
  });

  it("gives the semi-malicious and the σ = 80 values of the specification, section 3", () => {
    const semi = { adversary: "semi-malicious" } as const;
    expect([100, 1000, 10_000].map((n) => found(n, semi))).toEqual(["32/22", "96/67", "122/85"]);
    expect([100, 200, 500, 1000].map((n) => found(n, { securityBits: 80 }))).toEqual(["42/32", "80/61", "144/111", "178/136"]);
  });

  it("names targets that no degree meets", () => {
    expect(found(100, { colludingFraction: 0.45, dropoutFraction: 0.45 })).toBe("parameters-infeasible");
  });
});

describe("a run of the protocol", () => {
  it("uses the complete graph up to 30 devices and the finder above", () => {
    // floor((30 + 3)/2) + 1 = 17
    expect(sumParameters(30, defaultTargets)).toEqual({ ok: true, value: { neighbourCount: 29, shareThreshold: 17 } });
    expect(sumParameters(31, defaultTargets)).toEqual(findGraphParameters(31, defaultTargets));
  });

  it("refuses a complete graph whose survivors cannot open a secret", () => {
    // n = 20, γ = .1, δ = .5: t = floor(22/2) + 1 = 12, and 10 survivors have 9 neighbours each.
    expect(sumParameters(20, { ...defaultTargets, dropoutFraction: 0.5 }).ok).toBe(false);
  });
});
