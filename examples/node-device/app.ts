import type { BatchSource } from "@tutti/engine";
import { populationName, type PopulationKeys, type PopulationName } from "@tutti/protocol";

/** What a program knows of its population: shipped with it, as `tutti serve` printed it. */
export const settings: { readonly population: PopulationName; readonly coordinatorUrl: string; readonly keys: PopulationKeys } = {
  population: populationName("gateways"),
  coordinatorUrl: process.env["TUTTI_COORDINATOR"] ?? "http://127.0.0.1:7430",
  keys: JSON.parse(process.env["TUTTI_KEYS"] ?? "null") as PopulationKeys,
};

/** What this gateway measured: points on either side of a line. */
export const examples: BatchSource = {
  exampleCount: 4,
  inputs: Float32Array.of(1, 0.5, -1, 0.2, 0.7, -0.4, -0.6, -0.9),
  targets: Int32Array.of(1, 0, 1, 0),
};
