export { nodeFetch } from "./node-fetch.ts";
export { nodePlatform, processLock, settableConditions, type SettableConditions, type SharedPorts } from "./node-platform.ts";
export { NodeDatabase } from "./node-store.ts";
export { inProcessTrainer } from "./node-trainer.ts";
