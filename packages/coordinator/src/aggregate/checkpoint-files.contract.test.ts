import { populationName, roundId, taskName } from "@tutti/protocol";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CheckpointFiles } from "./checkpoint-files.ts";
import { memoryCheckpointFiles } from "./memory-checkpoint-files.ts";
import { nodeCheckpointFiles } from "./node-checkpoint-files.ts";

const round = (number: number): ReturnType<typeof roundId> => roundId(populationName("demo"), taskName("watch"), number);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-checkpoints-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let opened = 0;
const implementations: readonly (readonly [string, () => CheckpointFiles])[] = [
  ["in memory", memoryCheckpointFiles],
  ["in a folder", () => nodeCheckpointFiles(join(folder, String(opened++)))],
];

describe.each(implementations)("checkpoint files %s", (_name, open) => {
  const contents = async (files: CheckpointFiles, number: number): Promise<readonly (readonly number[] | undefined)[]> =>
    (await files.read(round(number))).map((content) => (content === undefined ? undefined : [...content]));

  test("hold what was written last in each place, shorter or longer, in parts", async () => {
    const files = open();
    expect(await contents(files, 1)).toEqual([undefined, undefined]);
    await files.write(round(1), 1, [bytes(1, 2, 3), bytes(), bytes(4)]);
    await files.write(round(1), 0, [bytes(9)]);
    await files.write(round(1), 1, [bytes(5), bytes(6)]);
    expect(await contents(files, 1)).toEqual([[9], [5, 6]]);
    const long = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    await files.write(round(1), 0, [long.subarray(0, 100_001), long.subarray(100_001)]);
    expect((await files.read(round(1)))[0]?.every((byte, i) => byte === i % 251)).toBe(true);
  });

  test("of one round are apart from those of another, and go alone", async () => {
    const files = open();
    for (const number of [1, 2, 11]) await files.write(round(number), 0, [bytes(number)]);
    await files.remove(round(1));
    await files.remove(round(7));
    expect(await contents(files, 1)).toEqual([undefined, undefined]);
    expect(await contents(files, 11)).toEqual([[11], undefined]);
    await files.write(round(1), 0, [bytes(3)]);
    expect(await contents(files, 1)).toEqual([[3], undefined]);
    await files.keepOnly(new Set([round(2)]));
    expect([await contents(files, 2), await contents(files, 11)]).toEqual([[[2], undefined], [undefined, undefined]]);
  });
});

test("files of another process are found again, and whatever else lies there stays", async () => {
  const place = join(folder, "again");
  await nodeCheckpointFiles(place).write(round(4), 1, [bytes(1, 2)]);
  writeFileSync(join(place, "notes.txt"), "an operator's");
  const again = nodeCheckpointFiles(place);
  expect((await again.read(round(4)))[1]).toEqual(Buffer.from([1, 2]));
  await again.keepOnly(new Set());
  expect(readdirSync(place)).toEqual(["notes.txt"]);
});
