import { addDuration, assert, durationBetween, durationMs, type DurationMs, type InstantMs } from "@tutti/base";
import { assignmentId, phaseLetters, type AssignmentId, type BlobReference, type Plan, type RoundId } from "@tutti/protocol";
import { acceptsReports, freePlaces, nextDeadline, p90Of, stepRound, type Round, type RoundEffect, type RoundEvent } from "@tutti/rounds";
import type { ClosedSum, RoundSum, SummedReport } from "./aggregate/round-sum.ts";
import type { CoordinatorPorts } from "./ports.ts";
import type { AssignmentRow, DepartureRow, OpenRoundRow } from "./store/store.ts";

/** What an open round is made of, whether it was just opened or found again after a crash. */
export type LiveRoundParts = {
  readonly row: OpenRoundRow;
  readonly plan: Plan;
  readonly planBlob: BlobReference;
  readonly modelBlob: BlobReference;
  readonly sum: RoundSum;
  readonly state: Round;
  readonly assignments: readonly AssignmentRow[];
  readonly departures: readonly DepartureRow[];
};

type Place = { readonly slot: number; readonly durable: Promise<void> };

/**
 * The shell around one round: hands out slots, feeds the reducer and performs what it decides. The
 * reducer keeps counts; who is who stays with the store's unique keys and the sum's set of slots.
 */
export class LiveRound {
  readonly row: OpenRoundRow;
  readonly plan: Plan;
  readonly planBlob: BlobReference;
  readonly modelBlob: BlobReference;
  readonly sum: RoundSum;
  /** Resolves once, with what the reducer decided when the round closed. */
  readonly ended: Promise<RoundEffect>;
  readonly #ports: CoordinatorPorts;
  readonly #places = new Map<string, Place>();
  readonly #departed = new Map<number, string>();
  readonly #lastPhases = new Map<number, string>();
  readonly #assignedAt = new Map<number, InstantMs>();
  readonly #deviceTimes: DurationMs[] = [];
  readonly #closed = new AbortController();
  #deadlineMoved = new AbortController();
  #state: Round;
  #slotCount = 0;
  #saved: Promise<void> = Promise.resolve();
  #sumClosed: Promise<ClosedSum> | undefined;
  #end: (effect: RoundEffect) => void = () => undefined;

  constructor(ports: CoordinatorPorts, parts: LiveRoundParts) {
    this.#ports = ports;
    this.row = parts.row;
    this.plan = parts.plan;
    this.planBlob = parts.planBlob;
    this.modelBlob = parts.modelBlob;
    this.sum = parts.sum;
    this.#state = parts.state;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    // Slots are numbered as they are counted: the saved state may know of one whose row failed.
    this.#slotCount = parts.state.counts.assigned;
    for (const { slot, requestId } of parts.assignments) {
      this.#places.set(requestId, { slot, durable: Promise.resolve() });
      this.#slotCount = Math.max(this.#slotCount, slot + 1);
    }
    for (const { slot, phases } of parts.departures) this.#departed.set(slot, phases);
    // A slot without a row was never handed out: its request failed before the crash.
    const handedOut = new Set(parts.assignments.map((row) => row.slot));
    for (let slot = 0; slot < this.#slotCount; slot++) if (!handedOut.has(slot)) this.#departed.set(slot, "");
    // Acknowledged from memory, and lost with it: what is left of the round would pass for the whole.
    if (parts.sum.countedCount < parts.state.counts.reported) this.step({ kind: "sum-failed" });
    if (parts.state.phase === "committing") this.#close({ kind: "commit" });
    if (parts.state.phase === "abandoned") this.#close({ kind: "discard-sum", reason: parts.state.reason });
    this.#catchUp();
  }

  get id(): RoundId {
    return this.row.round;
  }

  get state(): Round {
    return this.#state;
  }

  /** Places that may still be handed out. */
  get freePlaces(): number {
    return this.isOpen ? freePlaces(this.#state) : 0;
  }

  get acceptsReports(): boolean {
    return this.isOpen && acceptsReports(this.#state);
  }

  /** Until the reducer closes the round, or the coordinator lets go of it. */
  get isOpen(): boolean {
    return !this.#closed.signal.aborted;
  }

  /** Runs the round's deadlines until it closes. */
  async watchDeadlines(): Promise<void> {
    for (;;) {
      const deadline = nextDeadline(this.#state);
      if (deadline === undefined || !this.isOpen) return;
      const now = this.#ports.clock.now();
      if (now >= deadline) this.step({ kind: "time-passed", at: now });
      // The sleep ends early, by rejection, when the round closes or has another deadline.
      else await this.#ports.clock.sleep(durationBetween(now, deadline), this.#deadlineMoved.signal).catch(() => undefined);
    }
  }

  /** The coordinator closes: the round stays open in the store, and nothing runs for it any more. */
  letGo(): void {
    this.#closed.abort(new Error("the coordinator closes"));
    this.#deadlineMoved.abort(this.#closed.signal.reason);
    this.sum.letGo();
  }

  /** A slot for `requestId`, durable: the same request gets the same slot; undefined when no place is free. */
  async assign(requestId: string): Promise<AssignmentId | undefined> {
    const known = this.#places.get(requestId);
    if (known !== undefined) {
      await known.durable;
      return assignmentId(this.id, known.slot);
    }
    if (this.freePlaces === 0) return undefined;
    const slot = this.#slotCount++;
    const at = this.#ports.clock.now();
    const durable = this.#ports.store.addAssignment({ round: this.id, slot, requestId });
    this.#places.set(requestId, { slot, durable });
    this.#assignedAt.set(slot, at);
    this.step({ kind: "devices-assigned", at, deviceCount: 1 });
    try {
      await durable;
    } catch (cause) {
      // Not durable, so not handed out: the place is free again.
      this.#places.delete(requestId);
      this.#departed.set(slot, "");
      this.step({ kind: "device-left", at: this.#ports.clock.now() });
      throw cause;
    }
    return assignmentId(this.id, slot);
  }

  /** Whether this slot was handed out and not given back. */
  holds(slot: number): boolean {
    return slot < this.#slotCount && !this.#departed.has(slot);
  }

  /** A device gives its place back; a second time, or after its report, changes nothing. */
  async leave(slot: number, reason: string, phases: string): Promise<void> {
    if (!this.holds(slot) || this.sum.has(slot) || !this.isOpen) return;
    const departure = { round: this.id, slot, reason, phases: phases + phaseLetters.interrupted };
    this.#departed.set(slot, departure.phases);
    try {
      await this.#ports.store.addDeparture(departure);
    } catch (cause) {
      // Not durable: after a crash the device would hold its place, so it holds it now.
      this.#departed.delete(slot);
      throw cause;
    }
    // Counted behind its row, or a saved state could know of a departure that a crash forgot.
    this.step({ kind: "device-left", at: this.#ports.clock.now() });
  }

  /** Remembers how far a device says it came, for the counts of phase strings. */
  heardOf(slot: number, phases: string): void {
    this.#lastPhases.set(slot, phases);
  }

  /** A slot's report is in the durable sum. */
  counted(slot: number): void {
    const at = this.#ports.clock.now();
    const assignedAt = this.#assignedAt.get(slot);
    if (assignedAt !== undefined) this.#deviceTimes.push(durationBetween(assignedAt, at));
    this.step({ kind: "report-added", at });
    const { population, task, round, kind: roundKind } = this.plan;
    const phase = this.#state.phase === "selecting" ? "selecting" : "reporting";
    this.#ports.onEvent({ kind: "round-progress", population, task, round, roundKind, phase, counts: this.#state.counts });
  }

  /** 90th percentile of the time from assignment to counted report; null where none was measured. */
  get deviceTimeP90Ms(): DurationMs | null {
    return p90Of(this.#deviceTimes);
  }

  /** The longest that an assignment made now can be of use. */
  reportDeadline(now: InstantMs): DurationMs {
    const state = this.#state;
    const deadline = nextDeadline(state);
    if (deadline === undefined) return durationMs(0);
    const last = state.phase === "selecting" ? addDuration(deadline, state.policy.reportingWindowMs) : deadline;
    return durationBetween(now, last);
  }

  /** The only place where the round's state changes. */
  step(event: RoundEvent): void {
    const before = this.#state;
    const { round, effects } = stepRound(before, event);
    this.#state = round;
    if (round.phase !== before.phase && this.isOpen) this.#save();
    if (nextDeadline(round) !== nextDeadline(before)) this.#watchAgain();
    const [effect, ...others] = effects;
    assert(others.length === 0, "a round closes with one effect");
    if (effect !== undefined) this.#close(effect);
  }

  /**
   * Phase string → devices, over all that were assigned: those in the sum end with ".", those that gave
   * up with "i"; the others say how far they were when they were last heard of.
   */
  phaseCounts(reports: ReadonlyMap<number, SummedReport>): Record<string, number> {
    const counts: Record<string, number> = {};
    const add = (phases: string): void => {
      counts[phases] = (counts[phases] ?? 0) + 1;
    };
    for (let slot = 0; slot < this.#slotCount; slot++) {
      const departed = this.#departed.get(slot);
      const report = reports.get(slot);
      if (report !== undefined) add(report.phases + phaseLetters.done);
      // A slot that was never handed out departed without a word.
      else if (departed !== "") add(departed ?? this.#lastPhases.get(slot) ?? phaseLetters.checkedIn);
    }
    return counts;
  }

  /** The sum of the closed round; asked again after a failed commit it is the same one. */
  async closeSum(): Promise<ClosedSum> {
    this.#sumClosed ??= this.sum.close();
    try {
      return await this.#sumClosed;
    } catch (cause) {
      this.#sumClosed = undefined;
      throw cause;
    }
  }

  /** Resolves when every save that was begun has ended. */
  async saved(): Promise<void> {
    await this.#saved;
  }

  /** Once; a crash behind it finds the effect again in the saved state. */
  #close(effect: RoundEffect): void {
    if (!this.isOpen) return;
    this.#closed.abort(new Error("the round closed"));
    this.#end(effect);
  }

  #watchAgain(): void {
    const moved = this.#deadlineMoved;
    this.#deadlineMoved = new AbortController();
    moved.abort(new Error("the round has another deadline"));
  }

  /** After a crash: what the store and the sum hold beyond the saved state, fed through the reducer. */
  #catchUp(): void {
    const at = this.#ports.clock.now();
    const { assigned, left, reported } = this.#state.counts;
    const missed = this.#slotCount - assigned;
    if (missed > 0) this.step({ kind: "devices-assigned", at, deviceCount: missed });
    for (let i = left; i < this.#departed.size; i++) this.step({ kind: "device-left", at });
    for (let i = reported; i < this.sum.countedCount; i++) this.step({ kind: "report-added", at });
  }

  #save(): void {
    const { store, onEvent } = this.#ports;
    const { population, task } = this.plan;
    // A state that could not be saved is found again from assignments, departures and the sum.
    this.#saved = this.#saved.then(() =>
      store.saveRoundState(this.id, this.#state).catch((cause: unknown) => onEvent({ kind: "world-failed", population, task, cause: String(cause), retryMs: 0 })),
    );
  }
}
