import { durationMs } from "@tutti/base";
import { canonicalJson, contentTypes, decodeJson, PopulationKeysSchema, routes, type Json, type PopulationKeys, type TaskAction, type TaskDocument } from "@tutti/protocol";
import { operatorToken, type CoordinatorHost } from "./coordinator-host.ts";
import type { WireAnswer } from "./network.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";
import { worldPopulation } from "./world-task.ts";

/** The operator, beside the machine: no network between them, but the coordinator may be down or its disk full. */
export class OperatorActor {
  readonly #time: VirtualTime;
  readonly #host: CoordinatorHost;
  readonly #trace: Trace;

  constructor(parts: { readonly time: VirtualTime; readonly host: CoordinatorHost; readonly trace: Trace }) {
    this.#time = parts.time;
    this.#host = parts.host;
    this.#trace = parts.trace;
  }

  /** The population with its tasks, asked for until they are there; gives the keys that apps pin. */
  async setUp(tasks: readonly TaskDocument[]): Promise<PopulationKeys> {
    const keys = decodeJson(PopulationKeysSchema, await this.#untilDone("PUT", routes.population(worldPopulation), null));
    if (!keys.ok) throw new Error("a population has its keys");
    for (const task of tasks) await this.#untilDone("POST", routes.tasks(worldPopulation), task);
    return keys.value;
  }

  /** One try. */
  async act(task: TaskDocument["name"], action: TaskAction): Promise<void> {
    const answer = await this.#ask("POST", routes.taskAction(worldPopulation, task, action), null).catch(() => undefined);
    this.#trace.add("operator", `${action} ${task}: ${answer?.status ?? "no answer"}`);
  }

  /** Until it is granted, or cannot be any more. */
  async actUntilDone(task: TaskDocument["name"], action: TaskAction): Promise<void> {
    await this.#untilDone("POST", routes.taskAction(worldPopulation, task, action), null, [409]);
  }

  async #untilDone(method: "POST" | "PUT", path: string, body: Json, alsoDone: readonly number[] = []): Promise<string> {
    for (;;) {
      const answer = await this.#ask(method, path, body).catch(() => undefined);
      if (answer !== undefined && (answer.status === 200 || alsoDone.includes(answer.status))) return new TextDecoder().decode(answer.body);
      this.#trace.add("operator", `${method} ${path}: ${answer?.status ?? "no answer"}, tries again`);
      await this.#time.sleep(durationMs(1000));
    }
  }

  #ask(method: "POST" | "PUT", path: string, body: Json): Promise<WireAnswer> {
    const bytes = body === null ? null : Buffer.from(canonicalJson(body));
    const headers: Record<string, string> = { authorization: `Bearer ${operatorToken}`, ...(bytes === null ? {} : { "content-type": contentTypes.json }) };
    return this.#host.exchange({ method, path, headers, body: bytes, pieces: whole });
  }
}

async function* whole(body: Uint8Array): AsyncIterable<Uint8Array> {
  await Promise.resolve();
  yield body;
}
