export {
  addToSum, deltaFault, magnitudeFault, mergeSum, metricGridOf, metricsOnGrid, sumGridOf, type DeltaFault, type DeltaMagnitude, type SumBounds, type SumGrid,
} from "./exact-sum.ts";
export * from "./limits.ts";
export {
  beginLocalTraining, endLocalTraining, type LocalOutcome, type LocalStart, type LocalTrainingFault,
} from "./local-training.ts";
export * from "./metrics.ts";
export * from "./model-file.ts";
export { serverOptimizer, type ServerOptimizer, type ServerOptimizerConfig, type WeightedSum } from "./server-optimizer.ts";
