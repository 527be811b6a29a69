import { expect, test } from "vitest";
import { plantedFaults, type PlantedFault } from "./test/planted-faults.ts";
import { runWorld } from "./world.ts";

/** Worlds in which a planted fault must show. */
const seedsMax = 1000;

test.each(plantedFaults)("$name is found", async (planted) => {
  const seed = await findingSeed(planted);
  console.log(`${planted.name}: found in world ${seed + 1}`);
  expect(seed).toBeLessThan(seedsMax);
});

/** The first world in which the law that forbids the fault says so; `seedsMax` where none does. */
async function findingSeed({ plant, found }: PlantedFault): Promise<number> {
  for (let seed = 0; seed < seedsMax; seed++) {
    const { fault } = await runWorld(seed, plant());
    if (fault !== undefined && found.test(fault)) return seed;
  }
  return seedsMax;
}
