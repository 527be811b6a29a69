import { hexFromBytes, sha256, type Bytes } from "@tutti/base";
import { parseJson, vectorBytesMax, type Json, type PopulationName, type TaskSummary } from "@tutti/protocol";
import { taskFromDocument, type Task } from "@tutti/rounds";
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandFailure } from "./failure.ts";
import { faultsShownMax, taskFileBytesMax } from "./limits.ts";
import type { OperatorClient } from "./operator-client.ts";
import { readBytesFile, readTextFile } from "./read-file.ts";

/** A task as its file says it, and as the reducers read it. */
export type TaskFile = {
  readonly document: Json;
  readonly task: Task;
  /** The safetensors file that the task starts from, to be uploaded before it is created; undefined where it needs none. */
  readonly startFile?: Bytes;
};

const namesInFolder = ["task.ts", "task.js", "task.json"];

/**
 * Reads a task from a TypeScript or JavaScript module (its default export), a JSON file, or a folder
 * with one of `task.ts`, `task.js`, `task.json`. Only this package runs task files; whatever comes out
 * is plain JSON from here on. A module is the operator's own code and runs with their rights.
 * @throws CommandFailure with every fault on a line of its own: its field, and what was expected there.
 */
export async function readTaskFile(path: string): Promise<TaskFile> {
  const file = await taskPath(path);
  const document = file.endsWith(".json") ? await jsonDocument(file) : await moduleDocument(file);
  const startPath = startPathOf(document);
  if (startPath === undefined) return checkedTask(file, document);
  const startFile = await readBytesFile(resolve(dirname(file), startPath), vectorBytesMax);
  return { ...checkedTask(file, { ...(document as object), start: { blob: hexFromBytes(sha256(startFile)) } }), startFile };
}

/** In a task file the start may also be `{ "file": PATH }`, a safetensors file beside it; it travels as a blob. */
function startPathOf(document: unknown): string | undefined {
  const start = typeof document === "object" && document !== null && "start" in document ? document.start : undefined;
  const path = typeof start === "object" && start !== null && "file" in start && Object.keys(start).length === 1 ? start.file : undefined;
  return typeof path === "string" ? path : undefined;
}

/** Creates the task of a file, the model that it starts from first. */
export async function createTask(client: OperatorClient, population: PopulationName, { document, startFile }: TaskFile): Promise<TaskSummary> {
  if (startFile !== undefined) await client.uploadBlob(startFile);
  return client.createTask(population, document);
}

/** A document that is already at hand, with the same check and the same words. */
export function checkedTask(origin: string, document: unknown): TaskFile {
  const task = taskFromDocument(document);
  // A checked document is JSON: its schema has no other values.
  if (task.ok) return { document: document as Json, task: task.value };
  const shown = task.error.slice(0, faultsShownMax).map(({ path, expected }) => `  ${path}: expected ${expected}`);
  const more = task.error.length > shown.length ? [`  … and ${task.error.length - shown.length} more`] : [];
  throw new CommandFailure([`${origin}: not a task`, ...shown, ...more].join("\n"));
}

async function taskPath(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CommandFailure(`${path}: no such file or folder`);
  if (!found.isDirectory()) return path;
  for (const name of namesInFolder) {
    const candidate = join(path, name);
    if ((await stat(candidate).catch(() => undefined))?.isFile() === true) return candidate;
  }
  throw new CommandFailure(`${path}: a task's folder holds one of ${namesInFolder.join(", ")}`);
}

async function jsonDocument(file: string): Promise<unknown> {
  const parsed = parseJson(await readTextFile(file, taskFileBytesMax));
  if (!parsed.ok) throw new CommandFailure(`${file}: not JSON`);
  return parsed.value;
}

async function moduleDocument(file: string): Promise<unknown> {
  if (!/\.[cm]?[jt]s$/.test(file)) throw new CommandFailure(`${file}: a task file ends in .ts, .js or .json`);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new CommandFailure(`${file}: the module does not load: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (module["default"] === undefined) throw new CommandFailure(`${file}: a task module exports its document as default`);
  // Through JSON: functions, undefined and class instances must not look like a document that they are not.
  return JSON.parse(JSON.stringify(module["default"])) as unknown;
}
