export { nodeEngines } from "./node-engines.ts";
