export { decodeModel } from "./decode-model.ts";
export {
  addMetrics, noMetrics, type Batch, type BatchSource, type CompileOptions, type Engine, type EnginePorts, type LocalResult,
  type LocalStop, type MetricSums, type ModelCheck, type Numerics, type Trainer,
} from "./engine.ts";
export { enginesOf, type KernelBytes } from "./engine-choice.ts";
export type { DocumentFault } from "./fields.ts";
export { initialParameters } from "./initial-parameters.ts";
export { gather, layoutOf, layoutWithout, type ParameterLayout, type ParameterTensor } from "./layout.ts";
export * from "./limits.ts";
export { decodeLocalTraining, type GradientClip, type LocalJob, type LocalOptimizer, type LocalTraining } from "./local-job.ts";
export type * from "./model.ts";
export { jsEngine } from "./js/js-engine.ts";
export { TrainerQueue, type EngineMissing, type TrainerWish } from "./trainer-queue.ts";
export { wasmEngine, type WasmEngineId } from "./wasm/wasm-engine.ts";
