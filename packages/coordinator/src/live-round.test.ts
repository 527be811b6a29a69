import { assert } from "@tutti/base";
import { systemRandom } from "@tutti/base/node";
import { partsOfAssignment, type AssignmentId, type TaskDocument } from "@tutti/protocol";
import { beforeEach, expect, test } from "vitest";
import { createAggregator } from "./aggregate/aggregator.ts";
import { memoryCheckpointFiles } from "./aggregate/memory-checkpoint-files.ts";
import { memoryBlobs } from "./blobs/memory-blobs.ts";
import { Coordinator } from "./coordinator.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { memoryStore } from "./store/memory-store.ts";
import type { TaskRun } from "./task-run.ts";
import { population } from "./test/conversation.ts";
import { ManualClock, settled } from "./test/manual-clock.ts";
import { reportFile } from "./test/report-file.ts";
import { parameterCount, taskDocument } from "./test/task-document.ts";

let clock: ManualClock;
let ports: CoordinatorPorts;
beforeEach(() => {
  clock = new ManualClock();
  ports = portsOn({ store: memoryStore(), blobs: memoryBlobs() });
});

/** What a process would have: its own memory, on the store and the blobs of the one before. */
function portsOn({ store, blobs }: Pick<CoordinatorPorts, "store" | "blobs">): CoordinatorPorts {
  return { store, blobs, clock, random: systemRandom, onEvent: () => undefined, aggregator: createAggregator({ clock, random: systemRandom, files: memoryCheckpointFiles() }) };
}

async function started(document: TaskDocument): Promise<TaskRun> {
  const coordinator = await Coordinator.open(ports);
  const run = await coordinator.addTask(await coordinator.addPopulation(population), document);
  assert("progress" in run, "the task's document is right");
  coordinator.run();
  await settled();
  return run;
}

async function place(run: TaskRun, requestId: string): Promise<AssignmentId> {
  const assignment = await run.live?.assign(requestId.padEnd(22, "A"));
  assert(assignment !== undefined, "the round has a place");
  return assignment;
}

async function report(run: TaskRun, assignment: AssignmentId): Promise<void> {
  const file = reportFile({ assignment, delta: new Float32Array(parameterCount) });
  const upload = run.live?.sum.beginUpload({ assignment, slot: partsOfAssignment(assignment).slot, bodyBytes: file.length });
  assert(upload !== undefined && "write" in upload, "the report has the right length");
  upload.write(file);
  await upload.finish();
}

test("a round whose reports lay in memory alone is abandoned after a restart, and not committed with what came later", async () => {
  const document = taskDocument({ durability: "memory", stop: { rounds: 1 } });
  const before = await started(document);
  await report(before, await place(before, "1"));
  await place(before, "2");
  await settled();
  expect(before.live?.state).toMatchObject({ phase: "reporting", counts: { assigned: 2, reported: 1 } });

  ports = portsOn(ports);
  const after = await started(document);
  await settled();
  const [closed] = await ports.store.closedRounds(after.row, 1);
  expect(closed).toMatchObject({ outcome: "abandoned", reason: "sum-failed", counts: { reported: 0 } });
  expect(after.latest.version).toBe(0);
});

test("after a round to which too few came, devices are told the end of the next one's selection, so that they come together", async () => {
  const { round } = taskDocument();
  const run = await started(taskDocument({ round: { ...round, selectionWindowMs: 20_000, reportingWindowMs: 600_000 } }));
  expect(run.paced()).toMatchObject({ roundMs: 620_000, nextOpensMs: 620_000 });
  await place(run, "1");
  await clock.advance(20_000);
  await settled();
  expect(run.progress.abandonedInARow).toBe(1);
  await clock.advance(5000);
  expect(run.paced()).toMatchObject({ roundMs: 20_000, nextOpensMs: 15_000 });
});
