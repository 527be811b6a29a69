import type { Engine, EnginePorts } from "../engine.ts";
import { checkModel } from "../network/check-model.ts";
import { startTrainer } from "../network/network-trainer.ts";
import { jsWorkspace } from "./js-workspace.ts";

/** The readable reference engine; it also runs where there is no WebAssembly. Always deterministic on one JavaScript engine. */
export function jsEngine(ports: EnginePorts): Engine {
  return {
    id: "js",
    check: (model) => checkModel(model, float32Bytes),
    compile: (model, options) => startTrainer({ model, ...options, isDeterministic: true, memoryBytes: float32Bytes, createWorkspace: () => jsWorkspace(), ports }),
  };
}

function float32Bytes(elementCount: number): number {
  return 4 * elementCount;
}
