import { assert, bytesFromBase64url, equalBytes, type Bytes } from "@tutti/base";
import type { AssignmentRow, BlobStore, CoordinatorEvent, DepartureRow, ModelRow, OpenRoundRow, PopulationRow, RoundClosing, Store, TaskRow } from "@tutti/coordinator";
import { StoreFullError } from "@tutti/coordinator";
import { layoutOf } from "@tutti/engine";
import { decodeModelFile } from "@tutti/learning";
import {
  AssignmentAnswerSchema, decode, isAssignmentId, parseJson, partsOfAssignment, partsOfRound, receiptBytes, ReceiptSchema, roundId, type AssignmentId, type Json, type RoundId,
} from "@tutti/protocol";
import { taskFromDocument, type Round, type Task, type TaskProgress } from "@tutti/rounds";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { isSignedBy } from "./device-keys.ts";
import {
  countedReports, countsFault, membersFault, modelsFault, openingFault, progressFault, receiptFault, versionFault, waitingFault, type RoundFacts, type TaskFacts,
} from "./invariants.ts";
import type { WireAnswer, WireRequest } from "./network.ts";
import { sentReportOf } from "./recomputed-model.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What its sender knows of a request: that it is right, that no server may grant it, or neither. */
export type Intent = "honest" | "forbidden" | "any";

type TaskKey = Pick<TaskRow, "population" | "task">;
type Disk = { readonly store: Store; readonly blobs: BlobStore };

/** Sees what reaches the server, what it answers and what becomes durable, and holds the laws against it. */
export class Witness {
  readonly rounds = new Map<RoundId, RoundFacts>();
  readonly tasks = new Map<string, TaskFacts>();
  readonly #time: VirtualTime;
  readonly #trace: Trace;
  readonly #faults: string[] = [];
  readonly #news: (() => Promise<void>)[] = [];
  readonly #places = new Map<string, AssignmentId>();
  #receiptKey: string | undefined;
  #disturbedAtMs = 0;
  #disk: Disk | undefined;

  constructor(time: VirtualTime, trace: Trace) {
    this.#time = time;
    this.#trace = trace;
  }

  watch(disk: Disk): void {
    this.#disk = disk;
  }

  /** The first law that was broken. */
  get fault(): string | undefined {
    return this.#faults[0];
  }

  broken(fault: string | null): void {
    if (fault === null) return;
    this.#trace.add("BROKEN", fault);
    this.#faults.push(fault);
  }

  /** Something that may delay a round: until `closingMs` later nobody asks why it waits. */
  disturbed(): void {
    this.#disturbedAtMs = this.#time.now();
  }

  /** Called at every moment, once all is parked. */
  async judge(): Promise<void> {
    for (const news of this.#news.splice(0)) await news();
    const quietMs = this.#time.now() - this.#disturbedAtMs;
    for (const facts of this.rounds.values()) this.broken(waitingFault(facts, quietMs));
  }

  // What becomes durable.

  populationAdded({ receiptKey }: PopulationRow): void {
    const key = createPublicKey(createPrivateKey({ key: Buffer.from(receiptKey), format: "der", type: "pkcs8" })).export({ format: "jwk" }).x;
    this.#receiptKey ??= key;
  }

  taskAdded(row: TaskRow, start: ModelRow): void {
    const task = taskFromDocument(row.document);
    assert(task.ok, "the world's tasks are right");
    if (!this.tasks.has(keyOf(row))) this.tasks.set(keyOf(row), { key: { population: row.population, task: row.task }, task: task.value, progress: row.progress as TaskProgress, models: [start], restingSinceMs: null });
  }

  progressSaved(key: TaskKey, progress: Json): void {
    const facts = this.#taskOf(key);
    this.broken(progressFault(facts.progress, progress as TaskProgress));
    facts.progress = progress as TaskProgress;
    facts.restingSinceMs = facts.progress.phase === "running" ? null : (facts.restingSinceMs ?? this.#time.now());
    this.#trace.add("disk", `progress of ${key.task}: ${facts.progress.phase}, ${facts.progress.trainRoundsCommitted} rounds`);
  }

  roundOpened(row: OpenRoundRow): void {
    const { task } = partsOfRound(row.round);
    const facts = this.#taskOf(partsOfRound(row.round));
    const open = [...this.rounds.values()].filter((round) => round.closing === null && partsOfRound(round.row.round).task === task);
    this.broken(openingFault(row, facts, open.length));
    this.rounds.set(row.round, {
      row, state: row.state as Round, assignments: new Map(), departures: new Set(), arrived: new Map(), arrivedAtMs: new Map(),
      endedAtMs: null, acknowledged: new Map(), left: new Set(), closing: null, counted: new Map(),
    });
    this.disturbed();
    this.#trace.add("disk", `open ${row.round} (${row.kind})`);
  }

  placeAssigned({ round, slot, requestId }: AssignmentRow): void {
    this.#roundOf(round).assignments.set(slot, requestId);
    this.disturbed();
    this.#trace.add("disk", `place ${round}.${slot}`);
  }

  placeLeft({ round, slot }: DepartureRow): void {
    this.#roundOf(round).departures.add(slot);
    this.disturbed();
    this.#trace.add("disk", `left ${round}.${slot}`);
  }

  roundStateSaved(round: RoundId, state: Json): void {
    const facts = this.#roundOf(round);
    facts.state = state as Round;
    if (facts.state.phase === "committing") facts.endedAtMs ??= this.#time.now();
    this.#trace.add("disk", `${round} is ${facts.state.phase}`);
  }

  roundClosed(closing: RoundClosing): void {
    const { closed, model, progress } = closing;
    const facts = this.#roundOf(closed.round);
    const task = this.#taskOf(partsOfRound(closed.round));
    this.#trace.add("disk", `${closed.outcome} ${closed.round} ${closed.reason} with ${closing.reports.map(({ slot }) => slot).join()}`);
    facts.closing = closing;
    this.broken(countsFault(facts, closing));
    this.broken(membersFault(facts, closing));
    this.broken(versionFault(closing, task));
    this.progressSaved(partsOfRound(closed.round), progress);
    const start = task.models.at(-1);
    if (model !== null) task.models.push(model);
    this.#news.push(() => this.#recompute(facts, closing, task, start), () => this.modelsAreKept());
  }

  /** What every version holds is what it held when it was made. */
  async modelsAreKept(): Promise<void> {
    if (this.#disk === undefined) return;
    for (const facts of this.tasks.values()) this.broken(modelsFault(await this.#disk.store.models(facts.key), facts));
  }

  // What reaches the server, and what it answers.

  /** @param isWhole whether the body arrives to its end. @returns to be called with the answer, if there is one. */
  requestArrives(intent: Intent, request: WireRequest, isWhole: boolean): (answer: WireAnswer) => void {
    const subject = subjectOf(request);
    const wasClosed = subject !== undefined && this.rounds.get(subject.round)?.closing !== null;
    const wasDeparted = subject !== undefined && this.rounds.get(subject.round)?.departures.has(subject.slot) === true;
    if (subject !== undefined && request.method === "PUT" && request.body !== null && isWhole) this.#reportArrives(subject, copied(request.body));
    return ({ status, body }) => {
      if (status === 500) this.broken(`${request.method} ${request.path} is answered with 500`);
      if (status === 507 || subject !== undefined) this.disturbed();
      if (status !== 200) return;
      if (intent === "forbidden") this.broken(`${request.method} ${request.path} is granted, and no server may grant it`);
      if (request.path === "/v1/assignments") this.#placeAnswered(request, body);
      if (subject === undefined) return;
      if (request.path.endsWith(":abort")) this.rounds.get(subject.round)?.left.add(subject.slot);
      if (request.method === "PUT" && request.body !== null) this.#receiptAnswered(subject, { body: copied(request.body), wasClosed, wasDeparted }, body);
    };
  }

  #reportArrives({ round, slot }: Subject, body: Bytes): void {
    const facts = this.rounds.get(round);
    const report = sentReportOf(body);
    if (facts === undefined || report === undefined) return;
    const known = facts.arrived.get(slot) ?? [];
    if (known.length === 0) facts.arrivedAtMs.set(slot, this.#time.now());
    if (!known.some((other) => equalBytes(other.body, body))) facts.arrived.set(slot, [...known, report]);
  }

  /** A place is durable before its answer leaves, and no two requests get the same. */
  #placeAnswered(request: WireRequest, body: Uint8Array): void {
    const answer = decode(AssignmentAnswerSchema, jsonOf(body));
    const asked = jsonOf(request.body ?? new Uint8Array()) as { readonly requestId: string };
    if (!answer.ok || answer.value.kind !== "assigned") return;
    const { assignment } = answer.value;
    const { round, slot } = partsOfAssignment(assignment);
    if (this.rounds.get(round)?.assignments.get(slot) !== asked.requestId) this.broken(`${assignment} is handed out and not durable for this request`);
    const holder = [...this.#places].find(([requestId, place]) => place === assignment && requestId !== asked.requestId);
    if (holder !== undefined) this.broken(`${assignment} is handed out twice`);
    this.#places.set(asked.requestId, assignment);
  }

  #receiptAnswered({ round, slot, assignment }: Subject, sent: { readonly body: Bytes; readonly wasClosed: boolean; readonly wasDeparted: boolean }, body: Uint8Array): void {
    const facts = this.rounds.get(round);
    this.broken(receiptFault(facts, { slot, ...sent }));
    const receipt = decode(ReceiptSchema, jsonOf(body));
    if (!receipt.ok || receipt.value.assignment !== assignment) {
      this.broken(`${assignment} is acknowledged with something else than its receipt`);
      return;
    }
    const { signature, ...unsigned } = receipt.value;
    const raw = bytesFromBase64url(signature);
    if (!raw.ok || !isSignedBy(this.#receiptKey ?? "", raw.value, receiptBytes(unsigned))) this.broken(`the receipt of ${assignment} does not verify`);
    facts?.acknowledged.set(slot, sent.body);
    this.#trace.add("receipt", assignment);
  }

  // What the coordinator says, and what becomes of it.

  coordinatorSaid(event: CoordinatorEvent): void {
    if (event.kind === "request-failed") this.broken(`a request failed: ${event.cause}`);
    if (event.kind === "world-failed") {
      this.disturbed();
      if (!event.cause.startsWith("StoreFullError")) this.broken(`the world did not fail like this: ${event.cause}`);
    }
    if (event.kind === "round-committed") {
      const closing = this.rounds.get(roundId(event.population, event.task, event.round))?.closing;
      if (closing?.closed.outcome !== "committed") this.broken(`round ${event.round} of ${event.task} is told as committed and is not`);
    }
  }

  /** Crashed, or stopped. */
  coordinatorEnded(): void {
    this.disturbed();
    for (const [round, facts] of this.rounds) {
      // By definition of the mode: what was acknowledged from memory is lost with it.
      if (this.#taskOf(partsOfRound(round)).task.durability === "memory" && facts.closing === null) facts.acknowledged.clear();
    }
  }

  coordinatorFailed(cause: unknown): void {
    this.disturbed();
    this.broken(cause instanceof StoreFullError ? null : `the coordinator does not start: ${String(cause)}`);
  }

  async #recompute(facts: RoundFacts, closing: RoundClosing, { task }: TaskFacts, start: ModelRow | undefined): Promise<void> {
    if (closing.closed.outcome === "abandoned" || this.#disk === undefined || start === undefined) return;
    const files = closing.model === null ? { start: null, parameters: null } : await this.#filesOf(this.#disk.blobs, task, { start, made: closing.model });
    const counted = typeof files === "string" ? files : countedReports(facts, closing, task, files);
    if (typeof counted === "string") this.broken(`${closing.closed.round}: ${counted}`);
    else facts.counted = counted;
  }

  async #filesOf(blobs: BlobStore, task: Task, { start, made }: { readonly start: ModelRow; readonly made: ModelRow }): Promise<{ readonly start: Uint8Array; readonly parameters: Float32Array } | string> {
    if ((await blobs.byteCount(made.hash)) === undefined) return "the model's blob is not durable";
    const parameters = decodeModelFile(await blobs.read(made.hash), layoutOf(task.model));
    return parameters.ok ? { start: await blobs.read(start.hash), parameters: parameters.value } : "the model's blob is no model";
  }

  #roundOf(round: RoundId): RoundFacts {
    const facts = this.rounds.get(round);
    assert(facts !== undefined, "the store refuses rows of unknown rounds");
    return facts;
  }

  #taskOf(key: TaskKey): TaskFacts {
    const facts = this.tasks.get(keyOf(key));
    assert(facts !== undefined, "the store refuses rows of unknown tasks");
    return facts;
  }
}

/** What a request about a place is about. */
type Subject = { readonly assignment: AssignmentId; readonly round: RoundId; readonly slot: number };

function subjectOf({ path }: WireRequest): Subject | undefined {
  const name = /^\/v1\/(?:reports|assignments)\/([^/:]+)/.exec(path)?.[1] ?? "";
  return isAssignmentId(name) ? { assignment: name, ...partsOfAssignment(name) } : undefined;
}

function keyOf({ population, task }: TaskKey): string {
  return `${population}.${task}`;
}

function copied(bytes: Uint8Array): Bytes {
  return Uint8Array.from(bytes);
}

function jsonOf(bytes: Uint8Array): unknown {
  const json = parseJson(new TextDecoder().decode(bytes));
  return json.ok ? json.value : undefined;
}
