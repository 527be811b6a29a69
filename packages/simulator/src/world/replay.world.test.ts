import { expect, test } from "vitest";
import { drawSwarm } from "./swarm.ts";
import { runWorld } from "./world.ts";

test("a seed is one world, to the last byte of its trace", async () => {
  for (const seed of [2, 30, 145, 326]) {
    const [first, second] = [await runWorld(seed), await runWorld(seed)];
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.trace).toEqual(first.trace);
  }
});

test("two seeds are two worlds", async () => {
  expect((await runWorld(2)).traceHash).not.toBe((await runWorld(3)).traceHash);
});

test("each fault is absent from about half of the worlds and present in the others", () => {
  const swarms = Array.from({ length: 400 }, (_, seed) => drawSwarm(seed));
  const faults = {
    loss: swarms.filter(({ network }) => network.requestLoss > 0),
    doubling: swarms.filter(({ network }) => network.doubling > 0),
    brokenBodies: swarms.filter(({ network }) => network.bodyBreak > 0),
    crashes: swarms.filter(({ coordinator }) => coordinator.crashesPerWrite > 0),
    fullDisks: swarms.filter(({ coordinator }) => coordinator.fullEveryMs !== null),
    deviceCrashes: swarms.filter(({ device }) => device.crashesPerWrite > 0),
    backups: swarms.filter(({ device }) => device.restoreEveryMs !== null),
    hostility: swarms.filter(({ hostile }) => hostile > 0),
  };
  // Binomial(400, 1/2) lies outside 120..280 with probability 2e-15.
  for (const present of Object.values(faults)) {
    expect(present.length).toBeGreaterThan(120);
    expect(present.length).toBeLessThan(280);
  }
});
