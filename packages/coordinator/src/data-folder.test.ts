import { addToSum, sumGridOf } from "@tutti/learning";
import { partsOfAssignment, routes, taskName, type TaskDetail } from "@tutti/protocol";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startCoordinator } from "./start.ts";
import { Conversation, population } from "./test/conversation.ts";
import { parameterCount, taskDocument } from "./test/task-document.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-data-folder-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Names of the files below `folder` that hold these bytes anywhere. */
function filesWith(bytes: Uint8Array): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(folder, name)).isFile());
  return names.filter((name) => readFileSync(join(folder, name)).includes(Buffer.from(bytes)));
}

const bytesOf = (values: Float32Array | Float64Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const reports = [0, 1, 2].map((slot) => Float32Array.from({ length: parameterCount }, (_, i) => (0.1 + 0.3 * slot) * Math.sin(1 + i)));

/** What the checkpoints of the round held in clear: the partial sums after each report, whatever their order. */
function partialSums(): readonly Float64Array[] {
  const grid = sumGridOf({ clipNorm: 2, weightMax: 10, reportsMax: 3 });
  return [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]].map((slots) => {
    const sum = new Float64Array(parameterCount);
    for (const slot of slots) addToSum(sum, reports[slot] ?? new Float32Array(parameterCount), { weight: 4, grid });
    return sum;
  });
}

test("no report and no partial sum is readable in the data folder, neither while a round runs nor after its commit", async () => {
  const coordinator = await startCoordinator({ folder, host: "127.0.0.1", port: 0, onEvent: () => undefined });
  const talk = new Conversation(coordinator);
  const secrets = [...reports.map(bytesOf), ...partialSums().map(bytesOf)];
  const { round } = taskDocument();
  try {
    await talk.begin(taskDocument({ round: { ...round, goalCount: 3 }, stop: { rounds: 1 } }));
    const places = [await talk.place("1"), await talk.place("2"), await talk.place("3")];
    const deltaOf = (assignment: (typeof places)[number]["assignment"]): Float32Array => reports[partsOfAssignment(assignment).slot] ?? new Float32Array(parameterCount);
    for (const place of places) {
      expect((await talk.report(place, { delta: deltaOf(place.assignment) })).status).toBe(200);
      expect(secrets.flatMap(filesWith)).toEqual([]);
    }
    for (;;) {
      const { summary } = (await talk.operator("GET", routes.task(population, taskName("line")))).body as TaskDetail;
      if (summary.phase === "done") break;
    }
    expect(secrets.flatMap(filesWith)).toEqual([]);
    // The control: what may be read is found by the same search.
    const model = new Uint8Array(await (await fetch(`${coordinator.url}${places[0]?.model.url ?? ""}`)).arrayBuffer());
    expect(filesWith(model)).toHaveLength(1);
  } finally {
    await coordinator.close();
  }
  expect(readdirSync(join(folder, "rounds"))).toEqual([]);
  expect(secrets.flatMap(filesWith)).toEqual([]);
});

test("a coordinator that was closed in mid-round goes on where it stood, with the same places and reports", async () => {
  const first = await startCoordinator({ folder, host: "127.0.0.1", port: 0, onEvent: () => undefined });
  const before = new Conversation(first);
  await before.begin(taskDocument({ stop: { rounds: 1 } }));
  const [one, two] = [await before.place("1"), await before.place("2")];
  const receipt = await before.report(one, { delta: new Float32Array(parameterCount).fill(0.25) });
  await first.close();

  const opened: unknown[] = [];
  const second = await startCoordinator({ folder, host: "127.0.0.1", port: 0, onEvent: (event) => opened.push(event) });
  const after = new Conversation(second);
  try {
    expect(opened).toMatchObject([{ kind: "round-opened", round: 0, recovered: true }]);
    expect(second.operatorToken).toBe(first.operatorToken);
    expect((await after.report(one, { delta: new Float32Array(parameterCount).fill(0.25) })).text).toBe(receipt.text);
    expect((await after.place("2")).assignment).toBe(two.assignment);
    expect((await after.report(two, { delta: new Float32Array(parameterCount).fill(0.5) })).status).toBe(200);
    for (;;) {
      const { summary, rounds } = (await after.operator("GET", routes.task(population, taskName("line")))).body as TaskDetail;
      if (summary.phase !== "done") continue;
      expect(rounds).toMatchObject([{ outcome: "committed", assigned: 2, reported: 2 }]);
      break;
    }
  } finally {
    await second.close();
  }
});
