import { unreachable, type Sha256Hex } from "@tutti/base";
import { partsOfAssignment, receiptBytes, type AssignmentId, type Receipt, type ReportBeginAnswer, type ReportBeginRequest, type RoundId } from "@tutti/protocol";
import { finished, type Readable } from "node:stream";
import { fingerprintOfStream } from "../aggregate/fingerprint.ts";
import { BodyOverrunError, type ReportOutcome, type ReportRefusal } from "../aggregate/round-sum.ts";
import type { Coordinator } from "../coordinator.ts";
import { overloadedRetryMs } from "../limits.ts";
import type { LiveRound } from "../live-round.ts";
import { signatureOf } from "../population-keys.ts";
import type { PopulationRun } from "../population-run.ts";
import { isRefusal, malformed, refuse, type Refusal } from "../refusal.ts";
import type { ReportRow } from "../store/store.ts";

/** Step 7: whether the report is still wanted, before its bytes are paid for; one that was counted may come for its receipt. */
export async function beginReport(coordinator: Coordinator, assignment: AssignmentId, token: string, request: ReportBeginRequest): Promise<ReportBeginAnswer | Refusal> {
  const population = coordinator.populationOf(assignment, token);
  if (isRefusal(population)) return population;
  const { round: id, slot } = partsOfAssignment(assignment);
  const round = population.liveRound(id);
  if (round === undefined && (await countedReport(population, id, slot)) !== undefined) return { kind: "go" };
  if (round === undefined || (!round.acceptsReports && !round.sum.has(slot))) return { kind: "goal-reached", retry: population.retryWindows().accepted };
  if (!round.holds(slot)) return refuse("unknown-assignment");
  round.heardOf(slot, request.phases);
  return { kind: "go" };
}

/** A plain report on its way in. */
export type IncomingReport = {
  readonly assignment: AssignmentId;
  readonly token: string;
  readonly bodyBytes: number;
  readonly body: Readable;
};

/**
 * Step 8: streams a report into a staging buffer, adds it to the round's sum, and answers with the
 * signed receipt once a durable checkpoint holds it. A body that breaks off touches nothing.
 */
export async function receiveReport(coordinator: Coordinator, report: IncomingReport): Promise<Receipt | Refusal> {
  const population = coordinator.populationOf(report.assignment, report.token);
  if (isRefusal(population)) return population;
  const { round: id, slot } = partsOfAssignment(report.assignment);
  const round = population.liveRound(id);
  if (round === undefined) return repeatOfClosedRound(population, { id, slot }, report);
  const refusal = placeFault(round, slot);
  if (refusal !== undefined) return refusal;
  const outcome = await intoSum(round, slot, report);
  if (isRefusal(outcome)) return outcome;
  return outcome.kind === "refused" ? refusalOf(outcome.refusal) : receipt(population, report.assignment, round.plan.modelHash);
}

/** Judged before the body is read, and again when it is there: the device may have left, the round closed. */
function placeFault(round: LiveRound, slot: number): Refusal | undefined {
  if (!round.holds(slot)) return refuse("unknown-assignment");
  return round.acceptsReports || round.sum.has(slot) ? undefined : refuse("round-closed");
}

async function intoSum(round: LiveRound, slot: number, { assignment, bodyBytes, body }: IncomingReport): Promise<ReportOutcome | Refusal> {
  const upload = round.sum.beginUpload({ assignment, slot, bodyBytes });
  if ("code" in upload) return { kind: "refused", refusal: upload };
  try {
    await readBody(body, (chunk) => upload.write(chunk));
    return placeFault(round, slot) ?? (await upload.finish());
  } catch (cause) {
    if (cause instanceof BodyOverrunError || isBrokenOff(cause)) return wrongBodyLength(bodyBytes);
    throw cause;
  } finally {
    upload.discard();
  }
}

function wrongBodyLength(bodyBytes: number): Refusal {
  return malformed({ path: "/", expected: `must be ${bodyBytes} bytes, as its Content-Length says` });
}

/** By events: an asynchronous iterator takes twice the time for each chunk, and every report comes through here. */
function readBody(body: Readable, write: (chunk: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on("data", (chunk: Uint8Array) => {
      try {
        write(chunk);
      } catch (cause) {
        body.pause();
        reject(cause);
      }
    });
    finished(body, (cause) => (cause === null || cause === undefined ? resolve() : reject(cause)));
  });
}

/** The connection ended before the body did. */
function isBrokenOff(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ECONNRESET" || cause.code === "ERR_STREAM_PREMATURE_CLOSE");
}

/** The round closed, with this report in it or without: its receipt again, a conflict, or too late. */
async function repeatOfClosedRound(population: PopulationRun, { id, slot }: { readonly id: RoundId; readonly slot: number }, report: IncomingReport): Promise<Receipt | Refusal> {
  const { store } = population.ports;
  const closed = await store.closedRound(id);
  const counted = await countedReport(population, id, slot);
  if (closed === undefined || counted === undefined) return refuse("round-closed");
  try {
    const fingerprint = await fingerprintOfStream(population.fingerprintKey, report.assignment, report.body);
    return fingerprint === counted.fingerprint ? receipt(population, report.assignment, closed.modelHash) : refuse("report-conflict");
  } catch (cause) {
    if (isBrokenOff(cause)) return wrongBodyLength(report.bodyBytes);
    throw cause;
  }
}

/** What a committed round's sum remembers of this slot's report. */
async function countedReport({ ports }: PopulationRun, round: RoundId, slot: number): Promise<ReportRow | undefined> {
  return (await ports.store.reports(round)).find((row) => row.slot === slot);
}

function receipt(population: PopulationRun, assignment: AssignmentId, modelHash: Sha256Hex): Receipt {
  const unsigned = { assignment, modelHash, mechanism: "plain" } as const;
  return { ...unsigned, signature: signatureOf(population.signers.receipt, receiptBytes(unsigned)) };
}

function refusalOf(refusal: ReportRefusal): Refusal {
  switch (refusal.code) {
    case "malformed":
      return malformed(refusal);
    case "report-wrong-length":
    case "report-out-of-range":
      return refuse(refusal.code, { detail: `Expected ${refusal.expected}.` });
    case "overloaded":
      return refuse("overloaded", { retryAfterMs: overloadedRetryMs });
    case "report-not-finite":
    case "report-conflict":
    case "round-closed":
      return refuse(refusal.code);
    default:
      return unreachable(refusal);
  }
}
