import type { Engine, EnginePorts } from "../engine.ts";
import { checkModel } from "../network/check-model.ts";
import { startTrainer } from "../network/network-trainer.ts";
import { wasmMemoryBytes, wasmWorkspaces } from "./wasm-workspace.ts";

/** The two builds of the kernels. Relaxed SIMD fuses multiply and add where the machine does: faster, and not the same bits everywhere. */
export type WasmEngineId = "wasm-simd" | "wasm-relaxed";

/**
 * The engine over compiled kernels, one WebAssembly instance per trainer. Whether this machine runs
 * them is asked by `enginesOf`, not here.
 * @param bytes the build that `id` names.   @throws where WebAssembly is missing or forbidden.
 */
export function wasmEngine(id: WasmEngineId, bytes: Uint8Array<ArrayBuffer>, ports: EnginePorts): Engine {
  const createWorkspace = wasmWorkspaces(bytes);
  return {
    id,
    check: (model) => checkModel(model, wasmMemoryBytes),
    compile: (model, options) => startTrainer({
      model, ...options, isDeterministic: id === "wasm-simd", memoryBytes: wasmMemoryBytes, createWorkspace, ports,
    }),
  };
}
