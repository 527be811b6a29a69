export { DataSetError } from "./data-set-error.ts";
export { dataSummary, type CohortSummary, type DataSummary, type LabelSummary } from "./inspection/data-summary.ts";
export { taskView, type CohortView, type TaskView } from "./inspection/task-view.ts";
export { openPopulation, type PopulationSource } from "./open-population.ts";
export { partitioned, type Partition } from "./partition/partition.ts";
export type { Person, Population } from "./population.ts";
export { simulate, type SimulationOptions, type SimulationResult } from "./simulation/simulation.ts";
export type { MessageBytes } from "./simulation/wire-tally.ts";
export { syntheticWatchTask } from "./synthetic-watch-task.ts";
