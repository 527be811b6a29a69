import type { Engine, EnginePorts, Numerics } from "./engine.ts";
import { jsEngine } from "./js/js-engine.ts";
import { passesSelfTest } from "./wasm/self-test.ts";
import { wasmEngine, type WasmEngineId } from "./wasm/wasm-engine.ts";
import { wasmWorkspaces } from "./wasm/wasm-workspace.ts";

/** Both builds of the kernels. The platform brings them: a file on Node, an asset in a browser. */
export type KernelBytes = Readonly<Record<WasmEngineId, Uint8Array<ArrayBuffer>>>;

/**
 * Our engines that run here, best first; take the first. A build counts where WebAssembly validates it
 * and its kernels pass a self-test; js always does, so a page that forbids WebAssembly trains slowly
 * instead of not at all. `deterministic` leaves relaxed SIMD out; js then gives the bits of its own
 * JavaScript engine.
 */
export function enginesOf(kernels: KernelBytes | null, numerics: Numerics, ports: EnginePorts): readonly [Engine, ...Engine[]] {
  const wished: readonly WasmEngineId[] = numerics === "fast" ? ["wasm-relaxed", "wasm-simd"] : ["wasm-simd"];
  const usable = kernels === null ? [] : wished.filter((id) => runsHere(kernels[id])).map((id) => wasmEngine(id, kernels[id], ports));
  const [first, ...others] = [...usable, jsEngine(ports)];
  return first === undefined ? [jsEngine(ports)] : [first, ...others];
}

function runsHere(bytes: Uint8Array<ArrayBuffer>): boolean {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(bytes)) return false;
  try {
    return passesSelfTest(wasmWorkspaces(bytes)());
  } catch {
    // A content security policy without 'wasm-unsafe-eval' lets validate pass and refuses to compile.
    return false;
  }
}
