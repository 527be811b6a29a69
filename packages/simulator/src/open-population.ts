import { openFolder } from "./folder/open-folder.ts";
import type { Population } from "./population.ts";
import { syntheticPopulation, type SyntheticSource } from "./synthetic/synthetic-population.ts";

/** Made-up people, or the folder of a data set. Plain data: a thread opens it again. */
export type PopulationSource = ({ readonly kind: "synthetic" } & SyntheticSource) | { readonly kind: "folder"; readonly path: string };

/**
 * The people of a source, the same and in the same order at every call. A folder's files are read and
 * checked at once and kept in their packed form; floats are made for the people that are asked for.
 * @throws DataSetError naming the file and what was expected there, or the collections that exist.
 */
export async function openPopulation(source: PopulationSource): Promise<Population> {
  return source.kind === "folder" ? openFolder(source.path) : syntheticPopulation(source);
}
