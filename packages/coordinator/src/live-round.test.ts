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
import { StoreFullError } from "./store/store.ts";
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

test("a place whose row could not be stored is nobody's after a crash: the round does not wait for it", async () => {
  const { round } = taskDocument();
  const document = taskDocument({ durability: "memory", round: { ...round, goalCount: 2, overSelection: 1.5, reportingFractionMin: 0.5 }, stop: { rounds: 1 } });
  const memory = memoryStore();
  const full = Promise.withResolvers<undefined>();
  let isFull = false;
  // The disk is full for one row, whose slot fills the round: its phase is saved with a place too many.
  const addAssignment = memory.addAssignment.bind(memory);
  memory.addAssignment = (row) => (isFull ? full.promise.then(() => Promise.reject(new StoreFullError("full"))) : addAssignment(row));
  ports = portsOn({ store: memory, blobs: memoryBlobs() });
  const before = await started(document);
  await place(before, "1");
  await place(before, "2");
  isFull = true;
  const refused = place(before, "3").catch((cause: unknown) => cause);
  await settled();
  const [saved] = await memory.openRounds();
  expect(saved?.state).toMatchObject({ phase: "reporting", counts: { assigned: 3, left: 0 } });

  ports = portsOn({ store: memory, blobs: ports.blobs });
  const after = await started(document);
  expect(after.live?.state.counts).toEqual({ assigned: 3, reported: 0, left: 1 });
  full.resolve(undefined);
  expect(await refused).toBeInstanceOf(StoreFullError);
});

test("a departure that could not be stored leaves the device its place, and one that was counts once", async () => {
  const memory = memoryStore();
  let isFull = true;
  const addDeparture = memory.addDeparture.bind(memory);
  memory.addDeparture = (row) => (isFull ? Promise.reject(new StoreFullError("full")) : addDeparture(row));
  ports = portsOn({ store: memory, blobs: memoryBlobs() });
  const run = await started(taskDocument());
  const { slot } = partsOfAssignment(await place(run, "1"));
  await expect(run.live?.leave(slot, "conditions-lost", "cd")).rejects.toThrow(StoreFullError);
  expect([run.live?.holds(slot), run.live?.state.counts.left]).toEqual([true, 0]);
  isFull = false;
  await run.live?.leave(slot, "conditions-lost", "cd");
  await run.live?.leave(slot, "conditions-lost", "cd");
  expect([run.live?.holds(slot), run.live?.state.counts.left]).toEqual([false, 1]);
});
