export { DataSetError } from "./data-set-error.ts";
export { openPopulation, type PopulationSource } from "./open-population.ts";
export type { Person, Population } from "./population.ts";
export { syntheticWatchTask } from "./synthetic-watch-task.ts";
