import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CommandFailure } from "./failure.ts";
import { taskFileBytesMax } from "./limits.ts";
import { readTaskFile } from "./task-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-task-file-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function failure(path: string): Promise<string> {
  const cause: unknown = await readTaskFile(path).then(() => "it was read", (error: unknown) => error);
  expect(cause).toBeInstanceOf(CommandFailure);
  return cause instanceof CommandFailure ? cause.message : "";
}

test("a document that is no task is refused with a line per fault, each naming its field", async () => {
  const message = await failure(file("task.json", JSON.stringify({ name: "Not A Name" })));
  expect(message).toMatch(/task\.json: not a task\n {2}\/\S*: expected /);
});

test.each([
  ["text.json", "{", "text.json: not JSON"],
  ["task.yaml", "name: x", "task.yaml: a task file ends in .ts, .js or .json"],
  ["throws.ts", "throw new Error('out of order');", "the module does not load: out of order"],
  ["empty.ts", "export const other = 1;", "a task module exports its document as default"],
])("the file %s is refused in words", async (name, text, expected) => {
  expect(await failure(file(name, text))).toContain(expected);
});

test("a JSON file over the limit is not read", async () => {
  expect(await failure(file("huge.json", " ".repeat(taskFileBytesMax + 1)))).toContain(`${taskFileBytesMax + 1} bytes; at most ${taskFileBytesMax} are read`);
});

test("a folder is read by its task.ts, and one without is refused", async () => {
  expect(await failure(folder)).toContain("a task's folder holds one of task.ts, task.js, task.json");
  mkdirSync(join(folder, "watch"));
  writeFileSync(join(folder, "watch", "task.ts"), "const name: string = 'x';\nexport default { name };\n");
  expect(await failure(join(folder, "watch"))).toContain(`${join("watch", "task.ts")}: not a task\n`);
});

test("a function in a module's document does not pass as a value", async () => {
  expect(await failure(file("code.ts", "export default { name: () => 'watch' };"))).toContain("/name");
});
