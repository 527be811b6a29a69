import type { RoundId } from "@tutti/protocol";

/** Which of a round's two files: they alternate, so that a torn write leaves the one before it whole. */
export type CheckpointPlace = 0 | 1;

/** Where the checkpoints of rounds lie. */
export interface CheckpointFiles {
  /** The whole content of either file, undefined where there is none. */
  read(round: RoundId): Promise<readonly [Uint8Array | undefined, Uint8Array | undefined]>;
  /** Replaces one file; durable once resolved. @throws StoreFullError when the disk is full. */
  write(round: RoundId, place: CheckpointPlace, parts: readonly Uint8Array[]): Promise<void>;
  remove(round: RoundId): Promise<void>;
  /** Removes the files of all other rounds. */
  keepOnly(rounds: ReadonlySet<RoundId>): Promise<void>;
}
