export type { CallContext } from "./command.ts";
export type { Output } from "./output.ts";
export { runTutti } from "./tutti.ts";
