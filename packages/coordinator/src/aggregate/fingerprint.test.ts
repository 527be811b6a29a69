import { assignmentId, populationName, roundId, taskName } from "@tutti/protocol";
import fc from "fast-check";
import { createSecretKey } from "node:crypto";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { fingerprintOf, fingerprintOfStream } from "./fingerprint.ts";

const key = createSecretKey(new Uint8Array(32).fill(3));
const round = roundId(populationName("demo"), taskName("watch"), 7);
const assignment = assignmentId(round, 1);

test("a body has one fingerprint, whole or in any parts", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat({ max: 300 }), { maxLength: 5 }), async (body, cuts) => {
    const places = [0, ...cuts.map((cut) => Math.min(cut, body.length)).toSorted((a, b) => a - b), body.length];
    const parts = places.slice(1).map((end, i) => body.subarray(places[i], end));
    expect(await fingerprintOfStream(key, assignment, Readable.from(parts, { objectMode: true }))).toBe(fingerprintOf(key, assignment, body));
  }));
});

test("another byte, another length, another assignment or another key gives another fingerprint", () => {
  const body = new Uint8Array(1000).fill(7);
  const all = new Set([
    fingerprintOf(key, assignment, body), fingerprintOf(key, assignment, body.with(500, 8)), fingerprintOf(key, assignment, body.subarray(1)),
    fingerprintOf(key, assignmentId(round, 2), body), fingerprintOf(createSecretKey(new Uint8Array(32)), assignment, body),
  ]);
  expect(all.size).toBe(5);
});
