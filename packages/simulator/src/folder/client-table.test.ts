import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { openPopulation } from "../open-population.ts";

const made: string[] = [];
afterEach(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function open(name: string, text: string) {
  const folder = mkdtempSync(join(tmpdir(), "table-"));
  made.push(folder);
  const path = join(folder, name);
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return openPopulation({ kind: "folder", path });
}

const inJsonl = ['{"client":"a","label":1,"features":[0.5,2]}', '{"client":"b","label":0,"features":[1,1]}', '{"client":"a","label":2,"features":[-1,3]}'].join("\n");
const inCsv = "x,client,label,y\n0.5,a,1,2\n1,b,0,1\n-1,a,2,3\n";

test.each([["points.jsonl", inJsonl], ["points.jsonl.gz", `${inJsonl}\n`], ["points.csv", inCsv], ["points.csv.gz", inCsv.replaceAll("\n", "\r\n")]])("the rows of %s belong to their clients, in any order of rows and columns", async (name, text) => {
  const { collection, people } = await open(name, text);
  expect(collection).toBe("points");
  expect(people.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(people[0]?.examples()).toEqual({ exampleCount: 2, inputs: Float32Array.of(0.5, 2, -1, 3), targets: Int32Array.of(1, 2) });
});

test("a target is a value, also where all values are whole numbers", async () => {
  const [csv, jsonl] = [await open("a.csv", "client,target,x\na,3,1\n"), await open("a.jsonl", '{"client":1,"target":3,"features":[1]}')];
  expect([csv, jsonl].map(({ people }) => people[0]?.examples().targets)).toEqual([Float32Array.of(3), Float32Array.of(3)]);
});

test("a split says who is held out, and divides a client that has both", async () => {
  const { people } = await open("a.csv", "client,split,label,x\na,train,0,1\na,test,1,2\nb,test,0,3\nc,train,0,4\n");
  expect(people.map(({ id, cohort }) => [id, cohort])).toEqual([["a", "training"], ["a:test", "held-out"], ["b", "held-out"], ["c", "training"]]);
});

test.each([
  ["a.csv", "label,x\n0,1\n", "line 1: expected a header with a column client"],
  ["a.csv", "client,x\na,1\n", "line 1: expected a header with one column label (class ids) or target (numbers)"],
  ["a.csv", "client,label,x,x\na,0,1,1\n", 'line 1: expected each column once; "x" is there twice'],
  ["a.csv", "client,label,x\n", "0 examples; expected 1 to 1000000"],
  ["a.csv", "client,label,x\na,0,1\nb,0\n", "line 3: expected 3 fields as in the header; found 2"],
  ["a.csv", "client,label,x\na,0,one\n", "line 2: expected numbers as features; feature 0 is none"],
  ["a.csv", "client,label,x\na,0,\n", "line 2: expected numbers as features; feature 0 is none"],
  ["a.csv", "client,label,x\na,0.5,1\n", "line 2: expected a class id from 0 to 1000000 as label; found 0.5"],
  ["a.csv", "client,label,x\n,0,1\n", "line 2: expected a client that has a name"],
  ["a.csv", "client,split,label,x\na,dev,0,1\n", "line 2: expected train or test as split"],
  ["a.csv", "client,label\na,0\n", "line 2: expected 1 to 1000000 features; found 0"],
  ["a.jsonl", '{"client":"a","label":0,"features":[1]}\n[1]', "line 2: expected a JSON object"],
  ["a.jsonl", '{"client":"a","label":0,"features":[1]}\n{"client":"a","label":0,"features":[1,2]}', "line 2: expected 1 features as in the first example; found 2"],
  ["a.jsonl", '{"client":"a","label":"0","features":[1]}', "line 1: expected a class id as label"],
  ["a.jsonl", '{"client":{},"label":0,"features":[1]}', "line 1: expected a client: a text or a number"],
  ["a.jsonl", '{"client":"a","label":0,"features":"1"}', 'line 1: expected a list of numbers as "features"'],
  ["a.parquet", "", "expected a file of LEAF (.json), JSON lines (.jsonl) or a table (.csv), each also as .gz"],
])("%s with %j is refused, naming the file and the line", async (name, text, expected) => {
  const opened = open(name, text);
  await expect(opened).rejects.toMatchObject({ name: "DataSetError" });
  await expect(opened).rejects.toThrow(expected);
  await expect(opened).rejects.toThrow(name);
});
