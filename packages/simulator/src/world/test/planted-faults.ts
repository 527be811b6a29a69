import { createPrivateKey, sign } from "node:crypto";
import { concatBytes, type Bytes } from "@tutti/base";
import type { Aggregator, ModelRow, Store } from "@tutti/coordinator";
import type { DeviceStore, Platform, StoreWrite } from "@tutti/device";
import { addToSum, sumGridOf } from "@tutti/learning";
import { decodeJson, AssignmentAnswerSchema, isAssignmentId, receiptBytes, type Json } from "@tutti/protocol";
import type { Exchange, WireAnswer, WireRequest } from "../network.ts";
import { sentReportOf } from "../recomputed-model.ts";
import type { Wrappers } from "../wrappers.ts";

/** A fault as the product might have it, and what the laws say of a world with it. `plant` is called anew for each world. */
export type PlantedFault = { readonly name: string; readonly found: RegExp; readonly plant: () => Partial<Wrappers> };

type RoundSum = Awaited<ReturnType<Aggregator["open"]>>;
type SumOptions = Parameters<Aggregator["open"]>[0];
type Upload = Exclude<ReturnType<RoundSum["beginUpload"]>, { readonly code: string }>;
type Closed = Awaited<ReturnType<RoundSum["close"]>>;

export const plantedFaults: readonly PlantedFault[] = [
  { name: "a forgotten deduplication", found: /the model or the metrics are not those/, plant: () => ({ aggregator: sumsWith((sum, options) => countingRepeats(sum, options)) }) },
  { name: "an acknowledgement before the checkpoint", found: /has no report of slot \d+, which has a receipt/, plant: () => ({ aggregator: (inner) => ({ keepOnly: (rounds) => inner.keepOnly(rounds), open: (options) => inner.open({ ...options, durability: "memory" }) }) }) },
  { name: "a counted latecomer", found: /whose report came after its end|which has a receipt/, plant: () => ({ aggregator: sumsWith((sum, options) => countingLatecomers(sum, options)) }) },
  { name: "a latecomer that gets a receipt", found: /too late for/, plant: () => ({ exchange: receiptForLatecomers }) },
  { name: "a broken upload that is counted as if zeros followed", found: /the model or the metrics are not those/, plant: () => ({ aggregator: sumsWith((sum) => countingBrokenUploads(sum)) }) },
  { name: "a sum in float32", found: /the model or the metrics are not those/, plant: () => ({ aggregator: sumsWith((sum) => roundedSum(sum)) }) },
  { name: "a lost commit", found: /is told as committed and is not/, plant: () => ({ store: (store) => ({ ...store, closeRound: (closing) => (closing.closed.outcome === "committed" ? Promise.resolve() : store.closeRound(closing)) }) }) },
  { name: "a reused capability", found: /no server may grant it/, plant: () => ({ exchange: withoutCapabilities() }) },
  { name: "a round that waits for a departed device", found: /waits, and every device of it/, plant: () => ({ exchange: (exchange) => (request) => (request.path.endsWith(":abort") ? Promise.resolve(answer({ kind: "left" })) : exchange(request)) }) },
  { name: "a place that is handed out twice", found: /is handed out twice|not durable for this request/, plant: () => ({ exchange: repeatingPlaces() }) },
  { name: "a place that is handed out before it is durable", found: /not durable for this request/, plant: () => ({ store: (store) => ({ ...store, addAssignment: (row) => Promise.resolve(void store.addAssignment(row)) }) }) },
  { name: "a receipt that is not signed", found: /does not verify/, plant: () => ({ exchange: withBrokenSignatures }) },
  { name: "phase strings that forget a device", found: /phases of \d+ devices/, plant: () => ({ store: (store) => ({ ...store, closeRound: (closing) => store.closeRound({ ...closing, closed: { ...closing.closed, phases: {} } }) }) }) },
  { name: "a checkpoint that keeps the older of two files", found: /has no report of slot \d+, which has a receipt|the world did not fail like this/, plant: olderCheckpoint },
  { name: "a model version that is overwritten", found: /the models of .* were changed/, plant: () => ({ disk: overwritingModels }) },
  { name: "a restart from the first model", found: /starts from model 0|a model version is made once/, plant: () => ({ store: (store, lifeNumber) => (lifeNumber === 0 ? store : { ...store, latestModel: (task) => store.models(task).then(([first]) => found(first)) }) }) },
  { name: "a pause that a restart forgets", found: /opens while its task is paused/, plant: () => ({ store: (store, lifeNumber) => (lifeNumber === 0 ? store : { ...store, tasks: () => store.tasks().then((rows) => rows.map((row) => ({ ...row, progress: resumed(row.progress) }))) }) }) },
  { name: "progress that a pause sets back", found: /the progress goes back/, plant: () => ({ store: settingBack() }) },
  { name: "a loop that never comes back from the store", found: /has not reached its end/, plant: () => ({ store: (store) => ({ ...store, openRound: (row) => (row.round.endsWith(".1") ? Promise.withResolvers<never>().promise : store.openRound(row)) }) }) },
  { name: "a dead coordinator that goes on", found: /a dead coordinator/, plant: () => ({ clock: (_clock, time) => time }) },
  { name: "a device that sends another report after a restart", found: /sends two different reports/, plant: () => ({ platform: (platform, { lifeNumber }) => sendingAnother(platform, lifeNumber) }) },
  { name: "a retry moment that is redrawn at every wake", found: /its moment/, plant: () => ({ platform: (platform) => withStore(platform, { record: redrawing(platform) }) }) },
  { name: "a report that the ledger does not tell of", found: /that its ledger does not tell of/, plant: () => ({ platform: (platform) => withStore(platform, { write: (writes) => platform.store.write(writes.map((write) => changedEntry(write, { isDisclosed: false }))) }) }) },
  { name: "a participation without an end", found: /has a participation without an end/, plant: () => ({ platform: (platform) => withStore(platform, { write: (writes) => platform.store.write(writes.map((write) => changedEntry(write, { end: null }))) }) }) },
  { name: "a device that forgets its moment at a restart", found: /before its moment/, plant: () => ({ platform: (platform) => withStore(platform, { record: forgetting(platform.store) }) }) },
];

// The aggregator.

function sumsWith(change: (sum: RoundSum, options: SumOptions) => RoundSum): (aggregator: Aggregator) => Aggregator {
  return (aggregator) => ({ keepOnly: (rounds) => aggregator.keepOnly(rounds), open: async (options) => change(await aggregator.open(options), options) });
}

/** Every method of `sum`, but for `changes`. */
function sumLike(sum: RoundSum, changes: Partial<RoundSum>): RoundSum {
  return {
    get countedCount() {
      return sum.countedCount;
    },
    has: (slot) => sum.has(slot),
    beginUpload: (upload) => sum.beginUpload(upload),
    close: () => sum.close(),
    letGo: () => sum.letGo(),
    discard: () => sum.discard(),
    ...changes,
  };
}

/** An upload that also remembers its bytes. */
function remembering(upload: Upload, finish: (body: Bytes) => ReturnType<Upload["finish"]>): Upload {
  const chunks: Uint8Array[] = [];
  return {
    write: (chunk) => {
      chunks.push(Uint8Array.from(chunk));
      upload.write(chunk);
    },
    finish: () => finish(concatBytes(...chunks)),
    discard: () => upload.discard(),
  };
}

/** Adds one more report to a closed sum. */
function added(closed: Closed, body: Bytes, { clause, reportsMax }: SumOptions): Closed {
  const report = sentReportOf(body);
  if (report === undefined || report.delta.length !== closed.vector.length) return closed;
  const weight = Math.min(report.facts.examples, clause.weightMax);
  addToSum(closed.vector, report.delta, { weight, grid: sumGridOf({ clipNorm: clause.clipNorm, weightMax: clause.weightMax, reportsMax }) });
  return { ...closed, weight: closed.weight + weight };
}

function countingRepeats(sum: RoundSum, options: SumOptions): RoundSum {
  const repeats: Bytes[] = [];
  return sumLike(sum, {
    beginUpload: (begun) => {
      const isRepeat = sum.has(begun.slot);
      const upload = sum.beginUpload(begun);
      if ("code" in upload) return upload;
      return remembering(upload, async (body) => {
        const outcome = await upload.finish();
        if (isRepeat && outcome.kind === "counted") repeats.push(body);
        return outcome;
      });
    },
    close: async () => repeats.splice(0).reduce((closed, body) => added(closed, body, options), await sum.close()),
  });
}

function countingLatecomers(sum: RoundSum, options: SumOptions): RoundSum {
  let closed: Closed | undefined;
  return sumLike(sum, {
    has: (slot) => closed !== undefined || sum.has(slot),
    beginUpload: (begun) => {
      const upload = sum.beginUpload(begun);
      if ("code" in upload) return upload;
      return remembering(upload, async (body) => {
        const outcome = await upload.finish();
        if (outcome.kind === "counted" || closed === undefined) return outcome;
        closed = added(closed, body, options);
        (closed.reports as Map<number, { fingerprint: string; phases: string }>).set(begun.slot, { fingerprint: "late", phases: "cdtTu" });
        return { kind: "counted" };
      });
    },
    close: async () => (closed ??= await sum.close()),
  });
}

function countingBrokenUploads(sum: RoundSum): RoundSum {
  return sumLike(sum, {
    beginUpload: (begun) => {
      const upload = sum.beginUpload(begun);
      if ("code" in upload) return upload;
      let left = begun.bodyBytes;
      let isFinished = false;
      return {
        write: (chunk) => {
          left -= chunk.length;
          upload.write(chunk);
        },
        finish: () => {
          isFinished = true;
          return upload.finish();
        },
        discard: () => {
          const isBroken = !isFinished && left > 0;
          isFinished = true;
          if (isBroken) upload.write(new Uint8Array(left));
          if (isBroken) void upload.finish().catch(() => undefined);
          upload.discard();
        },
      };
    },
  });
}

function roundedSum(sum: RoundSum): RoundSum {
  return sumLike(sum, { close: async () => {
    const closed = await sum.close();
    return { ...closed, vector: closed.vector.map((value) => Math.fround(value)) };
  } });
}

// The store and the files.

function olderCheckpoint(): Partial<Wrappers> {
  const newest = new Map<string, 0 | 1>();
  return {
    files: (files) => ({
      ...files,
      write: async (round, place, parts) => {
        await files.write(round, place, parts);
        newest.set(round, place);
      },
      read: async (round) => {
        const [first, second] = await files.read(round);
        const place = newest.get(round);
        if (first === undefined || second === undefined || place === undefined) return [first, second];
        return place === 0 ? [undefined, second] : [first, undefined];
      },
    }),
  };
}

/** An UPDATE that forgot its WHERE. */
function overwritingModels(store: Store): Store {
  return wrapped(store, { models: async (task) => {
    const rows = await store.models(task);
    return rows.map((row) => ({ ...row, hash: rows.at(-1)?.hash ?? row.hash }));
  } });
}

function settingBack(): (store: Store) => Store {
  const first = new Map<string, Json>();
  return (store) => ({
    ...store,
    closeRound: (closing) => {
      if (!first.has(closing.closed.round.replace(/\d+$/, ""))) first.set(closing.closed.round.replace(/\d+$/, ""), closing.progress);
      return store.closeRound(closing);
    },
    saveProgress: (task) => {
      const { phase } = task.progress as { readonly phase: string };
      const old = first.get(`${task.population}.${task.task}.`);
      return store.saveProgress(phase === "paused" && old !== undefined ? { ...task, progress: { ...(old as Record<string, Json>), phase } } : task);
    },
  });
}

function resumed(progress: Json): Json {
  const standing = progress as Record<string, Json>;
  return standing["phase"] === "paused" ? { ...standing, phase: "running" } : progress;
}

function found(model: ModelRow | undefined): ModelRow {
  if (model === undefined) throw new Error("a task has its first model");
  return model;
}

/** A class's methods are not its own: each is passed on by name. */
function wrapped(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const changed: unknown = Reflect.get(changes, name);
      const value: unknown = changed ?? Reflect.get(target, name);
      return typeof value === "function" && changed === undefined ? (value.bind(target) as unknown) : value;
    },
  });
}

// The wire.

function answer(body: Json): WireAnswer {
  return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(body)) };
}

function assignmentOf({ path, method }: WireRequest): string {
  return method === "PUT" && path.startsWith("/v1/reports/") ? path.slice("/v1/reports/".length) : "";
}

function receiptForLatecomers(exchange: Exchange, store: Store): Exchange {
  return async (request) => {
    const answered = await exchange(request);
    const assignment = assignmentOf(request);
    const [population] = await store.populations();
    const round = assignment.replace(/\.\d+$/, "");
    const closed = await store.closedRound(round as never);
    if (answered.status !== 410 || !isAssignmentId(assignment) || population === undefined || closed === undefined) return answered;
    const unsigned = { assignment, modelHash: closed.modelHash, mechanism: "plain" } as const;
    const key = createPrivateKey({ key: Buffer.from(population.receiptKey), format: "der", type: "pkcs8" });
    return answer({ ...unsigned, signature: sign(null, receiptBytes(unsigned), key).toString("base64url") });
  };
}

/** Remembers the capability of each place, and takes any other for it. */
function withoutCapabilities(): (exchange: Exchange) => Exchange {
  const tokens = new Map<string, string>();
  return (exchange) => async (request) => {
    const token = tokens.get(assignmentOf(request));
    const answered = await exchange(token === undefined ? request : { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
    const place = decodeJson(AssignmentAnswerSchema, new TextDecoder().decode(answered.body));
    if (request.path === "/v1/assignments" && place.ok && place.value.kind === "assigned") tokens.set(place.value.assignment, place.value.token);
    return answered;
  };
}

/** Every second place is the one before it. */
function repeatingPlaces(): (exchange: Exchange) => Exchange {
  let last: { readonly round: string; readonly answered: WireAnswer } | undefined;
  return (exchange) => async (request) => {
    const answered = await exchange(request);
    const place = decodeJson(AssignmentAnswerSchema, new TextDecoder().decode(answered.body));
    if (request.path !== "/v1/assignments" || !place.ok || place.value.kind !== "assigned") return answered;
    const round = place.value.assignment.replace(/\.\d+$/, "");
    if (last?.round === round) return last.answered;
    last = { round, answered };
    return answered;
  };
}

function withBrokenSignatures(exchange: Exchange): Exchange {
  return async (request) => {
    const answered = await exchange(request);
    if (assignmentOf(request) === "" || answered.status !== 200) return answered;
    const receipt = JSON.parse(new TextDecoder().decode(answered.body)) as { readonly signature: string };
    return answer({ ...receipt, signature: receipt.signature.replace(/^./, (letter) => (letter === "A" ? "B" : "A")) });
  };
}

// The device.

function withStore(platform: Platform, changes: Partial<DeviceStore>): Platform {
  return { ...platform, store: { ...platform.store, ...changes } };
}

/** As if the report had not been kept, but made again. */
function sendingAnother(platform: Platform, lifeNumber: number): Platform {
  return { ...platform, fetch: (request) => {
    if (request.method !== "PUT" || request.body === null) return platform.fetch(request);
    const body = Uint8Array.from(request.body);
    body[body.length - 4] = lifeNumber;
    return platform.fetch({ ...request, body });
  } };
}

function redrawing({ store, clock, random }: Platform): DeviceStore["record"] {
  return async (key) => {
    const value = await store.record(key);
    if (key !== "next-moment" || typeof value !== "object" || value === null || !("latestMs" in value)) return value;
    return { ...value, atMs: clock.now() + ((random.bytes(1)[0] ?? 0) / 256) * Number(value["latestMs"]) };
  };
}

function changedEntry(write: StoreWrite, changes: Readonly<Record<string, Json>>): StoreWrite {
  if (write.kind !== "put-record" || !write.key.startsWith("ledger/")) return write;
  return { ...write, value: { ...(write.value as Record<string, Json>), ...changes } };
}

function forgetting(store: DeviceStore): DeviceStore["record"] {
  return (key) => (key === "next-moment" ? Promise.resolve(undefined) : store.record(key));
}
