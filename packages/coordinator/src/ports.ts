import type { Clock, SecureRandom } from "@tutti/base";
import type { Aggregator } from "./aggregate/round-sum.ts";
import type { BlobStore } from "./blobs/blob-store.ts";
import type { CoordinatorEvent } from "./events.ts";
import type { Store } from "./store/store.ts";

/** All that the coordinator needs of the world. The simulator passes its own; the code above them is the same. */
export type CoordinatorPorts = {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly aggregator: Aggregator;
  readonly clock: Clock;
  readonly random: SecureRandom;
  /** What happened, for progress, metrics and logs. Must not throw. */
  readonly onEvent: (event: CoordinatorEvent) => void;
};
