import type { Aggregator, CheckpointFiles, Store } from "@tutti/coordinator";
import type { Clock } from "@tutti/base";
import type { Platform } from "@tutti/device";
import type { Exchange } from "./network.ts";
import type { VirtualTime } from "./virtual-time.ts";

/**
 * Where a planted fault gets between the world and the product: each wraps something that the product is
 * given, or that it answers. The product itself knows of none. `lifeNumber` counts a process's starts from 0.
 */
export type Wrappers = {
  /** The durable rows, which the invariants read too. */
  readonly disk: (store: Store) => Store;
  /** The rows as one incarnation of the coordinator sees them. */
  readonly store: (store: Store, lifeNumber: number) => Store;
  readonly files: (files: CheckpointFiles) => CheckpointFiles;
  readonly aggregator: (aggregator: Aggregator) => Aggregator;
  /** The clock of one incarnation; `time` knows nothing of its end. */
  readonly clock: (clock: Clock, time: VirtualTime) => Clock;
  readonly exchange: (exchange: Exchange, store: Store) => Exchange;
  readonly platform: (platform: Platform, device: { readonly name: string; readonly lifeNumber: number }) => Platform;
};

/** A world as it is, with nothing planted. */
export const noWrappers: Wrappers = {
  disk: (store) => store,
  store: (store) => store,
  files: (files) => files,
  aggregator: (aggregator) => aggregator,
  clock: (clock) => clock,
  exchange: (exchange) => exchange,
  platform: (platform) => platform,
};
