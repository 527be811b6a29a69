import { setTimeout as pause } from "node:timers/promises";
import { once } from "node:events";
import { watch } from "node:fs";
import { Agent, request, type ClientRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { SeededRandom } from "@tutti/base";
import { contentTypes, routes, type AssignmentAnswer, type Assigned, type AssignmentId, type PopulationName, type TaskName } from "@tutti/protocol";
import type { CoordinatorProcess } from "./coordinator-process.ts";
import { reportBytes, reportOf } from "./report-bytes.ts";

/** Where a coordinator is killed. */
export const moments = ["selecting", "downloading", "half an upload", "between checkpoint and acknowledgement", "committing"] as const;
export type Moment = (typeof moments)[number];

/** What came of one kill. */
export type Kill = { readonly moment: Moment; readonly assignment: AssignmentId | null };

/** Devices of one round that may never come back: the others still reach the goal. */
const vanishableMax = 2;

type Answer = { readonly status: number; readonly text: string };
type Device = { readonly requestId: string; readonly seed: number };

/**
 * Devices that speak the protocol to a coordinator which is killed under them: each repeats what it had sent, byte for
 * byte, until it has an answer, and remembers what was acknowledged.
 */
export class Fleet {
  /** Assignment → seed of the report that was sent for it. */
  readonly sent = new Map<AssignmentId, number>();
  readonly acknowledged = new Set<AssignmentId>();
  readonly kills: Kill[] = [];
  readonly #coordinator: CoordinatorProcess;
  readonly #names: { readonly population: PopulationName; readonly task: TaskName };
  readonly #random: SeededRandom;
  #agent = new Agent({ keepAlive: true });
  #due: Moment | undefined;
  #restarting: Promise<void> = Promise.resolve();
  #deviceCount = 0;
  #vanishable = 0;

  constructor(coordinator: CoordinatorProcess, names: { readonly population: PopulationName; readonly task: TaskName }, seed: number) {
    this.#coordinator = coordinator;
    this.#names = names;
    this.#random = SeededRandom.from(seed);
  }

  /** Lets `count` devices take part in a round, and kills the coordinator once, at `moment`. */
  async round(count: number, moment: Moment): Promise<void> {
    this.#due = moment;
    this.#vanishable = vanishableMax;
    const devices = Array.from({ length: count }, () => ({ requestId: String(this.#deviceCount++).padStart(22, "A"), seed: this.#random.uint32() }));
    await Promise.all(devices.map((device) => this.#participate(device)));
    await this.#restarting;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #participate(device: Device): Promise<void> {
    const place = await this.#place(device);
    if (place === undefined) return;
    await this.#answered(() => this.#download(place));
    this.sent.set(place.assignment, device.seed);
    const { status } = await this.#answered(() => this.#upload(place, device.seed), () => this.#vanishes());
    if (status === 0) return;
    if (status === 200) {
      this.acknowledged.add(place.assignment);
      void this.#reached("committing", place.assignment);
    }
    // The round has what it wanted, or was given up; everything else would be a fault of the coordinator's.
    else if (status !== 410) throw new Error(`a right report of ${place.assignment} was answered with ${status}`);
  }

  async #place(device: Device): Promise<Assigned | undefined> {
    const body = Buffer.from(JSON.stringify({ ...this.#names, protocol: 1, requestId: device.requestId }));
    for (;;) {
      const { text } = await this.#answered(async () => {
        const { outgoing, answer } = this.#request("POST", routes.assignments(), { "content-type": contentTypes.json, "content-length": String(body.length) });
        outgoing.end(body);
        void this.#reached("selecting", null);
        return answer;
      });
      const answer = JSON.parse(text) as AssignmentAnswer;
      if (answer.kind === "assigned") return answer;
      // Between two rounds there is no place yet; when the others have filled this one, there will be none for this device.
      if (await this.#isFilled()) return undefined;
    }
  }

  async #isFilled(): Promise<boolean> {
    const { population, task } = this.#names;
    const { text } = await this.#answered(() => this.#get(routes.task(population, task), { authorization: `Bearer ${this.#coordinator.operatorToken}` }));
    const { summary } = JSON.parse(text) as { readonly summary: { readonly openRound: { readonly phase: string } | null } };
    return summary.openRound?.phase === "reporting";
  }

  async #download(place: Assigned): Promise<Answer> {
    const { outgoing, answer } = this.#request("GET", place.model.url, {});
    outgoing.end();
    void this.#reached("downloading", place.assignment);
    return answer;
  }

  async #upload(place: Assigned, seed: number): Promise<Answer> {
    const body = reportBytes(reportOf(seed), place.assignment);
    const { outgoing, answer } = this.#request("PUT", place.reportUrl, { "content-type": contentTypes.safetensors, "content-length": String(body.length), authorization: `Bearer ${place.token}` });
    const half = Math.floor(body.length / 2);
    outgoing.write(body.subarray(0, half));
    if (this.#due === "half an upload") await this.#reached("half an upload", place.assignment);
    if (this.#due === "between checkpoint and acknowledgement") this.#whenCheckpointed(place.assignment);
    outgoing.end(body.subarray(half));
    return answer;
  }

  /** The folder changes when a checkpoint is written: the acknowledgement lies just behind it. */
  #whenCheckpointed(assignment: AssignmentId): void {
    const watcher = watch(join(this.#coordinator.folder, "rounds"), () => {
      watcher.close();
      void this.#reached("between checkpoint and acknowledgement", assignment);
    });
  }

  /** Kills and starts again where this is the moment that is due; a jitter spreads the kill over what follows. */
  async #reached(moment: Moment, assignment: AssignmentId | null): Promise<void> {
    if (this.#due !== moment) return;
    this.#due = undefined;
    this.#restarting = this.#killAndStart(this.#random.below(4));
    this.kills.push({ moment, assignment });
    await this.#restarting;
  }

  async #killAndStart(jitterMs: number): Promise<void> {
    if (jitterMs > 0) await pause(jitterMs - 1);
    await this.#coordinator.kill();
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true });
    await this.#coordinator.start();
  }

  /** Some devices whose upload a kill broke never come back: the acknowledgement that they may have missed is swallowed. */
  #vanishes(): boolean {
    if (this.#vanishable === 0 || this.#random.below(2) === 0) return false;
    this.#vanishable--;
    return true;
  }

  /** The answer to a request that is sent again, as it was, whenever the coordinator dies under it; status 0 where the device gives up. */
  async #answered(send: () => Promise<Answer>, givesUp: () => boolean = () => false): Promise<Answer> {
    for (;;) {
      await this.#restarting;
      try {
        return await send();
      } catch (cause) {
        if (!isBroken(cause)) throw cause;
        if (givesUp()) return { status: 0, text: "" };
        // Broken, and nobody was killed yet: the kill is on its way.
        await pause(5);
      }
    }
  }

  #get(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const { outgoing, answer } = this.#request("GET", path, headers);
    outgoing.end();
    return answer;
  }

  #request(method: string, path: string, headers: Readonly<Record<string, string>>): { readonly outgoing: ClientRequest; readonly answer: Promise<Answer> } {
    const outgoing = request(`${this.#coordinator.url}${path}`, { method, headers, agent: this.#agent });
    const answer = answerOf(outgoing);
    // Whoever asked hears of a broken connection when the answer is awaited, however late.
    answer.catch(() => undefined);
    outgoing.on("error", () => undefined);
    return { outgoing, answer };
  }
}

async function answerOf(outgoing: ClientRequest): Promise<Answer> {
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const answer = { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("latin1") };
  if (answer.status >= 500) throw Object.assign(new Error(answer.text), { code: "ECONNRESET" });
  return answer;
}

function isBroken(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && ["ECONNRESET", "ECONNREFUSED", "EPIPE", "ECONNABORTED", "HPE_INVALID_CONSTANT"].includes(String(cause.code));
}
