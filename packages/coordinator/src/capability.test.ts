import { addDuration, durationMs, instantMs } from "@tutti/base";
import { assignmentId, populationName, roundId, taskName } from "@tutti/protocol";
import fc from "fast-check";
import { createSecretKey } from "node:crypto";
import { expect, test } from "vitest";
import { capabilityFault, capabilityToken } from "./capability.ts";

const key = createSecretKey(new Uint8Array(32).fill(7));
const round = roundId(populationName("demo"), taskName("watch"), 3);
const assignment = assignmentId(round, 4);
const expiresAt = instantMs(1_700_000_000_000);
const token = capabilityToken(key, assignment, expiresAt);

test("a token opens its assignment until its moment, and not a millisecond longer", () => {
  expect(capabilityFault(key, assignment, token, expiresAt)).toBeUndefined();
  expect(capabilityFault(key, assignment, token, addDuration(expiresAt, durationMs(1)))).toBe("token-expired");
});

test("a token of another slot, another round, another key or with a later expiry is forged", () => {
  const later = capabilityToken(createSecretKey(new Uint8Array(32)), assignment, instantMs(expiresAt + 1000));
  const stretched = `${(expiresAt + 1000).toString(36)}.${token.split(".")[1] ?? ""}`;
  for (const forged of [later, stretched, "", ".", token.slice(0, -1), `${token}.`, `${token}A`]) expect(capabilityFault(key, assignment, forged, expiresAt)).toBe("token-invalid");
  expect(capabilityFault(key, assignmentId(round, 5), token, expiresAt)).toBe("token-invalid");
  expect(capabilityFault(key, assignmentId(roundId(populationName("demo"), taskName("watch"), 4), 4), token, expiresAt)).toBe("token-invalid");
});

test("any change of one character is noticed", () => {
  fc.assert(fc.property(fc.nat({ max: token.length - 1 }), fc.constantFrom("a", "b", "z", "0", "1", "9", "_", "-", "."), (at, character) => {
    const changed = token.slice(0, at) + character + token.slice(at + 1);
    return (capabilityFault(key, assignment, changed, expiresAt) === "token-invalid") === (changed !== token);
  }));
  expect(capabilityFault(key, assignment, `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`, expiresAt)).toBe("token-invalid");
});
