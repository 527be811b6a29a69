import type { Sha256Hex } from "@tutti/base";
import type { MetricSums, PopulationName, TaskKind, TaskName } from "@tutti/protocol";
import type { RoundCounts } from "@tutti/rounds";

type OfTask = { readonly population: PopulationName; readonly task: TaskName };
type OfRound = OfTask & { readonly round: number; readonly roundKind: TaskKind };

/** What a coordinator tells whoever runs it. Never names a device. */
export type CoordinatorEvent =
  | (OfRound & { readonly kind: "round-opened"; readonly goalCount: number; readonly assignedTarget: number; readonly recovered: boolean })
  | (OfRound & { readonly kind: "round-progress"; readonly phase: "selecting" | "reporting"; readonly counts: RoundCounts })
  | (OfRound & {
      readonly kind: "round-committed";
      readonly counts: RoundCounts;
      readonly metrics: MetricSums;
      readonly phases: Readonly<Record<string, number>>;
      /** The new version of a training round; null after an evaluation. */
      readonly model: { readonly version: number; readonly hash: Sha256Hex } | null;
      readonly durationMs: number;
    })
  | (OfRound & { readonly kind: "round-abandoned"; readonly counts: RoundCounts; readonly reason: string; readonly phases: Readonly<Record<string, number>> })
  | (OfTask & { readonly kind: "task-stopped"; readonly stoppedBy: string; readonly rounds: number; readonly modelVersion: number; readonly modelHash: Sha256Hex })
  | (OfTask & { readonly kind: "world-failed"; readonly cause: string; readonly retryMs: number })
  | { readonly kind: "request-failed"; readonly cause: string };
