import type { Engine, EnginePorts, Numerics } from "../engine.ts";
import { enginesOf } from "../engine-choice.ts";
import { builtKernels } from "./built-kernels.ts";

/** Our engines on this machine, best first, with the kernels that the package ships. @see builtKernels */
export function nodeEngines(ports: EnginePorts, numerics: Numerics = "fast"): readonly [Engine, ...Engine[]] {
  return enginesOf(builtKernels(), numerics, ports);
}
