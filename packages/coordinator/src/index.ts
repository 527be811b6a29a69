export { createAggregator } from "./aggregate/aggregator.ts";
export type { CheckpointFiles, CheckpointPlace } from "./aggregate/checkpoint-files.ts";
export { memoryCheckpointFiles } from "./aggregate/memory-checkpoint-files.ts";
export type { Aggregator } from "./aggregate/round-sum.ts";
export { BlobCorruptError, type BlobStore } from "./blobs/blob-store.ts";
export { memoryBlobs } from "./blobs/memory-blobs.ts";
export { Coordinator } from "./coordinator.ts";
export type { CoordinatorEvent } from "./events.ts";
export { createHttpServer, type HttpServerOptions } from "./http/http-server.ts";
export type { CoordinatorPorts } from "./ports.ts";
export { PortInUseError, startCoordinator, StartRefusedError, type RunningCoordinator, type StartOptions } from "./start.ts";
export { memoryStore } from "./store/memory-store.ts";
export {
  StoreFullError, type AssignmentRow, type ClosedRoundRow, type DepartureRow, type ModelRow, type OpenRoundRow, type PopulationRow, type ReportRow,
  type RoundClosing, type RoundOutcome, type Store, type TaskRow,
} from "./store/store.ts";
