import type { TaskName } from "@tutti/protocol";
import type { DeviceStore, StoreWrite } from "./platform.ts";

/**
 * Reports that this device gave to a task, metric sums alone included: they too say something of its
 * examples. Kept through `forget()`, so that erasing cannot reset a limit.
 */
export type ParticipationCount = { readonly lastStep: number; readonly uses: number };

export const countPrefix = "participations/";

export async function readCount(store: DeviceStore, task: TaskName): Promise<ParticipationCount | null> {
  const value = await store.record(countPrefix + task);
  if (typeof value !== "object" || value === null || !("lastStep" in value) || !("uses" in value)) return null;
  return typeof value.lastStep === "number" && typeof value.uses === "number" ? { lastStep: value.lastStep, uses: value.uses } : null;
}

/** The write that counts one more report. A step never goes back, whatever a server says. */
export async function countParticipation(store: DeviceStore, report: { readonly task: TaskName; readonly step: number }): Promise<StoreWrite> {
  const earlier = await readCount(store, report.task);
  const lastStep = Math.max(report.step, earlier?.lastStep ?? 0);
  return { kind: "put-record", key: countPrefix + report.task, value: { lastStep, uses: (earlier?.uses ?? 0) + 1 } };
}
