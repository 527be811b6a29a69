import { equalBytes, type Bytes } from "@tutti/base";
import type { DelayPolicy, LedgerEntry, ParticipationOutcome } from "@tutti/device";
import { decodeJson, CheckInAnswerSchema, type AssignmentId, type CheckInAnswer } from "@tutti/protocol";
import { ledgerFault, leavingFault, momentFault, wakingFault } from "./invariants.ts";

type Seen = { readonly answer: CheckInAnswer["retry"]; readonly atMs: number };

/** What one device did, seen from outside, held against the laws. Times are of the device's own clock. */
export class DeviceWitness {
  readonly #delays: DelayPolicy;
  readonly #broken: (fault: string | null) => void;
  readonly #sent = new Map<AssignmentId, Bytes>();
  /** Places during which the device crashed: whether a byte had left is not known to it. */
  readonly #interrupted = new Set<string>();
  /** Reports that a restored backup knows nothing of. */
  readonly #forgotten = new Set<string>();
  #seen: Seen | null = null;
  #dueMs: number | null = null;
  #startedAtMs = 0;
  #isSlow = false;

  constructor(delays: DelayPolicy, broken: (fault: string | null) => void) {
    this.#delays = delays;
    this.#broken = broken;
  }

  /** A life begins: the first, or one after a crash. */
  started(atMs: number): void {
    this.#startedAtMs = atMs;
  }

  /** The device crashed; `ledger` is what its disk holds then. */
  crashed(ledger: readonly LedgerEntry[]): void {
    const open = ledger.filter(({ end }) => end === null);
    for (const { place } of open) if (place !== null) this.#interrupted.add(place.assignment);
    // What it saw of a check-in belongs to a participation that goes on, or is forgotten.
    if (open.length === 0) this.#seen = null;
    // A participation ended, and the crash kept its owner from hearing of it.
    if (ledger.some(({ startedAtMs }) => startedAtMs >= this.#startedAtMs)) this.#dueMs = null;
  }

  /** Its clock jumped, or its memory was set back: what it knew of moments no longer holds. */
  lostTime(): void {
    this.#seen = null;
    this.#dueMs = null;
  }

  /** Its memory is that of a backup, which tells of `ledger`. */
  restored(ledger: readonly LedgerEntry[]): void {
    this.lostTime();
    const told = new Set(ledger.filter(({ isDisclosed }) => isDisclosed).map(({ place }) => String(place?.assignment)));
    for (const assignment of this.#sent.keys()) if (!told.has(assignment)) this.#forgotten.add(assignment);
    this.crashed(ledger);
  }

  /** It slept, and may be late by no fault of its own. */
  froze(): void {
    this.#isSlow = true;
  }

  /** It asks the server for something; the first time since its last participation, it has begun another. */
  asks(atMs: number): void {
    if (this.#dueMs !== null) this.#broken(wakingFault(this.#dueMs, { atMs, startedAtMs: this.#startedAtMs, isSlow: this.#isSlow }));
    this.#dueMs = null;
    this.#isSlow = false;
  }

  checkedIn(text: string, atMs: number): void {
    const answer = decodeJson(CheckInAnswerSchema, text);
    if (answer.ok) this.#seen = { answer: answer.value.retry, atMs };
  }

  told({ ending, retryAtMs }: ParticipationOutcome, atMs: number): void {
    if (this.#seen !== null) this.#broken(momentFault(ending, retryAtMs, this.#seen, this.#delays));
    // Each participation checks in anew, or ends before.
    this.#seen = null;
    this.#dueMs = retryAtMs;
    this.#startedAtMs = atMs;
  }

  reportLeaves(assignment: AssignmentId, body: Bytes, ledger: readonly LedgerEntry[]): void {
    const earlier = this.#sent.get(assignment);
    this.#broken(leavingFault(assignment, body, { ledger, earlier }));
    if (earlier === undefined || !equalBytes(earlier, body)) this.#sent.set(assignment, body);
  }

  /** All is at rest. */
  rests(ledger: readonly LedgerEntry[]): void {
    const remembered = ledger.filter(({ place }) => !this.#forgotten.has(String(place?.assignment)));
    this.#broken(ledgerFault(remembered, { sent: new Set(this.#sent.keys()), interrupted: this.#interrupted }));
  }
}
