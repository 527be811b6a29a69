import type { Bytes } from "@tutti/base";
import { contentTypes, populationName, routes, type AssignmentAnswer, type Assigned, type Json, type TaskDocument } from "@tutti/protocol";
import type { RunningCoordinator } from "../start.ts";
import { reportFile, type ReportParts } from "./report-file.ts";

export const population = populationName("demo");

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown; readonly text: string };
type Ask = { readonly body?: Json | Bytes; readonly token?: string; readonly headers?: Readonly<Record<string, string>> };

/** HTTP with a running coordinator, message by message, as neither SDK nor command line would send them. */
export class Conversation {
  readonly #coordinator: RunningCoordinator;

  constructor(coordinator: RunningCoordinator) {
    this.#coordinator = coordinator;
  }

  async ask(method: string, path: string, { body, token, headers = {} }: Ask = {}): Promise<Answer> {
    const isBytes = body instanceof Uint8Array;
    const init = {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": isBytes ? contentTypes.safetensors : contentTypes.json }), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
    };
    const response = await fetch(this.#coordinator.url + path, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: response.status, headers: response.headers, text, body: isJson ? (JSON.parse(text) as unknown) : undefined };
  }

  operator(method: string, path: string, body?: Json | Bytes): Promise<Answer> {
    return this.ask(method, path, { token: this.#coordinator.operatorToken, ...(body === undefined ? {} : { body }) });
  }

  async begin(document: TaskDocument): Promise<void> {
    await this.operator("PUT", routes.population(population));
    const created = await this.operator("POST", routes.tasks(population), document);
    if (created.status !== 200) throw new Error(created.text);
  }

  request(requestId: string, task = "line"): Promise<Answer> {
    return this.ask("POST", routes.assignments(), { body: { population, task, protocol: 1, requestId: requestId.padEnd(22, "A") } });
  }

  /** A place, asked for until a round has one. */
  async place(requestId: string, task = "line"): Promise<Assigned> {
    for (;;) {
      const answer = (await this.request(requestId, task)).body as AssignmentAnswer;
      if (answer.kind === "assigned") return answer;
    }
  }

  report(place: Assigned, parts: Omit<ReportParts, "assignment">): Promise<Answer> {
    return this.ask("PUT", place.reportUrl, { body: reportFile({ assignment: place.assignment, ...parts }), token: place.token });
  }
}

/** The code of a refusal's body. */
export function codeOf({ body }: Answer): string {
  return (body as { readonly error?: { readonly code?: string } } | undefined)?.error?.code ?? "no refusal";
}
