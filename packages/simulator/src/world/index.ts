export type { Exchange, WireAnswer, WireRequest } from "./network.ts";
export { drawSwarm, type Swarm } from "./swarm.ts";
export { runWorld, type WorldResult } from "./world.ts";
export type { Wrappers } from "./wrappers.ts";
