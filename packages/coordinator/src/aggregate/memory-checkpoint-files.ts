import { concatBytes } from "@tutti/base";
import type { RoundId } from "@tutti/protocol";
import type { CheckpointFiles } from "./checkpoint-files.ts";

/** Checkpoints in memory: for a coordinator that keeps nothing, and as the ground of the simulated world's disk. */
export function memoryCheckpointFiles(): CheckpointFiles {
  const files = new Map<RoundId, [Uint8Array | undefined, Uint8Array | undefined]>();
  return {
    read: (round) => Promise.resolve(files.get(round) ?? [undefined, undefined]),
    write: (round, place, parts) => {
      const both = files.get(round) ?? [undefined, undefined];
      both[place] = concatBytes(...parts);
      files.set(round, both);
      return Promise.resolve();
    },
    remove: (round) => {
      files.delete(round);
      return Promise.resolve();
    },
    keepOnly: (rounds) => {
      for (const round of files.keys()) if (!rounds.has(round)) files.delete(round);
      return Promise.resolve();
    },
  };
}
