import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { openPopulation } from "../open-population.ts";

const made: string[] = [];
afterEach(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** A folder with these files; a name that ends in .gz is packed. */
function folder(files: Readonly<Record<string, unknown>>): string {
  const path = mkdtempSync(join(tmpdir(), "leaf-"));
  made.push(path);
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), name.endsWith(".gz") ? gzipSync(text) : text);
  }
  return path;
}

const leaf = (users: Readonly<Record<string, { readonly x: unknown; readonly y: unknown }>>, changes: object = {}) =>
  ({ users: Object.keys(users), num_samples: Object.values(users).map(({ y }) => (Array.isArray(y) ? y.length : 0)), user_data: users, ...changes });
const open = (path: string) => openPopulation({ kind: "folder", path });

test("users of train train, users of test are held out, and one who is in both is two devices", async () => {
  const path = folder({
    "train/0.json": leaf({ ann: { x: [[0, 1], [0.5, -1]], y: [0, 2] } }),
    "train/1.json.gz": leaf({ bob: { x: [[2, 3]], y: [1] } }),
    "test/0.json": leaf({ ann: { x: [[7, 8]], y: [2] }, cid: { x: [[9, 9]], y: [0] } }),
  });
  const { people, schemaVersion } = await open(path);
  expect(schemaVersion).toBe(1);
  expect(people.map(({ id, cohort }) => [id, cohort])).toEqual([["ann", "training"], ["bob", "training"], ["ann:test", "held-out"], ["cid", "held-out"]]);
  expect(people[0]?.examples()).toEqual({ exampleCount: 2, inputs: Float32Array.of(0, 1, 0.5, -1), targets: Int32Array.of(0, 2) });
  expect(people[2]?.examples().inputs).toEqual(Float32Array.of(7, 8));
});

test("one file, plain or packed, is a data set of its name, each tenth user of it held out", async () => {
  const users = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`u${i}`, { x: [[i]], y: [i % 2] }]));
  const path = folder({ "points.json": leaf(users), "points.json.gz": leaf(users), "set/all_data/data.json": leaf(users) });
  for (const name of ["points.json", "points.json.gz"]) {
    const { collection, people } = await open(join(path, name));
    expect(collection).toBe("points");
    expect(people.filter(({ cohort }) => cohort === "held-out").map(({ id }) => id)).toEqual(["u9", "u19"]);
  }
  expect((await open(join(path, "set"))).people).toHaveLength(20);
});

const one = { x: [[1, 2]], y: [0] };
test.each<readonly [string, unknown, string]>([
  ["text that is not JSON", "{", "0.json: expected JSON"],
  ["a list instead of an object", [], "0.json: /: expected an object, as LEAF writes it"],
  ["counts for other users", leaf({ ann: one }, { num_samples: [] }), "/num_samples: expected a count for each of at least one user; found 0 for 1"],
  ["a user without data", leaf({ ann: one }, { users: ["bob"] }), "/user_data/bob: expected an object"],
  ["a user's name that every object has", leaf({ ann: one }, { users: ["constructor"] }), "/user_data/constructor: expected an object"],
  ["a count that is not the examples'", leaf({ ann: one }, { num_samples: [2] }), '/user_data/ann/x: expected as many examples as num_samples says ("2"), at least one; found 1'],
  ["a user without examples", leaf({ ann: { x: [], y: [] } }), "at least one; found 0"],
  ["fewer labels than examples", leaf({ ann: { x: [[1], [2]], y: [0] } }, { num_samples: [2] }), "/user_data/ann/y: expected a label for each of 2 examples; found 1"],
  ["text instead of numbers", leaf({ ann: { x: ["hello"], y: [0] } }), "/user_data/ann/x/0: expected a list"],
  ["examples of different lengths", leaf({ ann: { x: [[1, 2], [3]], y: [0, 1] } }), "/user_data/ann/x/1: expected 2 numbers, as in this user's first example"],
  ["users of different lengths", leaf({ ann: one, bob: { x: [[1]], y: [0] } }), 'user "bob": 1 numbers for each example; expected 2 as for the first user'],
  ["a number that float32 cannot hold", leaf({ ann: { x: [[1e39]], y: [0] } }), "/user_data/ann/x/0: expected 1 numbers"],
  ["a label that is no class id", leaf({ ann: { x: [[1]], y: [0.5] } }), "/user_data/ann/y/0: expected a class id from 0 to 1000000"],
  ["a user twice", leaf({ ann: one }, { users: ["ann", "ann"], num_samples: [1, 1] }), 'user "ann" is in two places; expected each user once'],
])("%s is refused, naming the file and the field", async (_, content, expected) => {
  const opened = open(folder({ "train/0.json": content }).concat("/train/0.json"));
  await expect(opened).rejects.toMatchObject({ name: "DataSetError" });
  await expect(opened).rejects.toThrow(expected);
});

test("a train folder without files is refused", async () => {
  await expect(open(folder({ "train/readme.txt": "" }))).rejects.toThrow("train: 0 .json files; expected 1 to 1000");
});
