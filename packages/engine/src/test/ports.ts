import { instantMs } from "@tutti/base";
import type { EnginePorts } from "../engine.ts";

/** Ports of a machine on which nothing else runs and time stands still. */
export const idlePorts: EnginePorts = { pause: async () => {}, now: () => instantMs(0) };
