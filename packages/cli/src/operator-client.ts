import { hexFromBytes, sha256, type Result, type Sha256Hex } from "@tutti/base";
import {
  contentTypes, decodeJson, ErrorBodySchema, ModelListSchema, PopulationKeysSchema, routes, TaskDetailSchema, TaskListSchema, TaskSummarySchema, UploadedBlobSchema, vectorBytesMax,
  type Json, type Malformed, type ModelSummary, type PopulationKeys, type PopulationName, type TaskAction, type TaskDetail, type TaskName, type TaskSummary,
} from "@tutti/protocol";
import { CommandFailure } from "./failure.ts";
import { operatorAnswerBytesMax, operatorRequestMsMax } from "./limits.ts";

type Decode<T> = (text: string) => Result<T, Malformed>;
type Call = { readonly method: "GET" | "PUT" | "POST"; readonly path: string; readonly body?: Json | Uint8Array };

/** The operators' side of a coordinator. Every refusal is a CommandFailure with the server's own words. */
export class OperatorClient {
  readonly #url: string;
  readonly #token: string;

  constructor(address: { readonly url: string; readonly token: string }) {
    this.#url = address.url.replace(/\/+$/, "");
    this.#token = address.token;
  }

  /** Adds a population, or finds it: the public keys that its devices pin. */
  addPopulation(population: PopulationName): Promise<PopulationKeys> {
    return this.#ask((text) => decodeJson(PopulationKeysSchema, text), { method: "PUT", path: routes.population(population) });
  }

  /** Keeps a safetensors file that a task may start from; gives its hash. */
  async uploadBlob(bytes: Uint8Array): Promise<Sha256Hex> {
    return (await this.#ask((text) => decodeJson(UploadedBlobSchema, text), { method: "POST", path: routes.blobs(), body: bytes })).hash;
  }

  createTask(population: PopulationName, document: Json): Promise<TaskSummary> {
    return this.#ask((text) => decodeJson(TaskSummarySchema, text), { method: "POST", path: routes.tasks(population), body: document });
  }

  async tasks(population: PopulationName): Promise<readonly TaskSummary[]> {
    return (await this.#ask((text) => decodeJson(TaskListSchema, text), { method: "GET", path: routes.tasks(population) })).tasks;
  }

  task(population: PopulationName, task: TaskName): Promise<TaskDetail> {
    return this.#ask((text) => decodeJson(TaskDetailSchema, text), { method: "GET", path: routes.task(population, task) });
  }

  act(population: PopulationName, task: TaskName, action: TaskAction): Promise<TaskSummary> {
    return this.#ask((text) => decodeJson(TaskSummarySchema, text), { method: "POST", path: routes.taskAction(population, task, action) });
  }

  async models(population: PopulationName, task: TaskName): Promise<readonly ModelSummary[]> {
    return (await this.#ask((text) => decodeJson(ModelListSchema, text), { method: "GET", path: routes.models(population, task) })).models;
  }

  /** The bytes of a blob, checked against their hash. */
  async blob(hash: Sha256Hex): Promise<Uint8Array> {
    const bytes = await limitedBytes(await this.#fetch({ method: "GET", path: routes.blob(hash) }), vectorBytesMax);
    if (hexFromBytes(sha256(bytes)) !== hash) throw new CommandFailure(`${this.#url}: the blob ${hash} came with other content`);
    return bytes;
  }

  async #ask<T>(decode: Decode<T>, call: Call): Promise<T> {
    const text = await limitedText(await this.#fetch(call), operatorAnswerBytesMax);
    const answer = decode(text);
    if (!answer.ok) throw new CommandFailure(`${this.#url}: an answer that is no coordinator's: ${answer.error.path}: expected ${answer.error.expected}`);
    return answer.value;
  }

  async #fetch({ method, path, body }: Call): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    const isBytes = body instanceof Uint8Array;
    if (body !== undefined) headers["content-type"] = isBytes ? contentTypes.safetensors : contentTypes.json;
    const init = { method, headers, signal: AbortSignal.timeout(operatorRequestMsMax), ...(body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }) };
    const response = await fetch(`${this.#url}${path}`, init).catch((cause: unknown) => {
      throw new CommandFailure(`${this.#url}: no coordinator answers (${reasonOf(cause)})`);
    });
    if (!response.ok) throw new CommandFailure(refusalText(response.status, await limitedText(response, operatorAnswerBytesMax)));
    return response;
  }
}

function refusalText(status: number, text: string): string {
  const refusal = decodeJson(ErrorBodySchema, text);
  if (!refusal.ok) return `the coordinator answered with status ${status}`;
  const { code, message, path } = refusal.value.error;
  return `${code}: ${message}${path === undefined ? "" : ` (at ${path})`}`;
}

/** `fetch` wraps what the socket said in its cause. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message || cause.cause.name : cause.message;
}

async function limitedText(response: Response, bytesMax: number): Promise<string> {
  return new TextDecoder().decode(await limitedBytes(response, bytesMax));
}

/** The body, read no further than `bytesMax`: what the header promises is not believed. */
async function limitedBytes(response: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return new Uint8Array();
  for await (const chunk of body) {
    byteCount += chunk.length;
    if (byteCount > bytesMax) throw new CommandFailure(`an answer of more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
