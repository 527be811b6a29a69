import type { InstantMs } from "@tutti/base";
import type { AbandonReason, RoundPolicy } from "../round.ts";

/**
 * The slow obvious twin of the reducer: it remembers every device by itself, and works out the phase
 * from the list after each thing that happens.
 */
export class SlowRound {
  readonly policy: RoundPolicy;
  readonly devices: ("working" | "reported" | "left")[] = [];
  phase: "selecting" | "reporting" | "committing" | "committed" | "abandoned" = "selecting";
  reason: AbandonReason | undefined;
  deadline: number;
  readonly effects: string[] = [];

  constructor(policy: RoundPolicy, at: InstantMs) {
    this.policy = policy;
    this.deadline = at + policy.selectionWindowMs;
  }

  count(state: "working" | "reported" | "left"): number {
    return this.devices.filter((device) => device === state).length;
  }

  assign(at: number): void {
    if (!this.isOpen()) return;
    this.devices.push("working");
    this.look(at);
  }

  /** The first device at work reports or leaves: which one it is does not matter. */
  end(state: "reported" | "left", at: number): void {
    if (!this.isOpen()) return;
    this.devices[this.devices.indexOf("working")] = state;
    this.look(at);
  }

  time(at: number): void {
    if (!this.isOpen() || at < this.deadline) return;
    const holding = this.devices.filter((device) => device !== "left").length;
    if (this.phase === "reporting") this.closeReporting();
    else if (holding === 0 || holding < this.policy.selectionFractionMin * this.policy.assignedTarget) this.abandon("too-few-devices");
    else this.report(at);
  }

  stop(reason: AbandonReason): void {
    if (this.isOpen() || (reason === "sum-failed" && this.phase === "committing")) this.abandon(reason);
  }

  commit(): void {
    if (this.phase === "committing") this.phase = "committed";
  }

  isOpen(): boolean {
    return this.phase === "selecting" || this.phase === "reporting";
  }

  private look(at: number): void {
    if (this.count("reported") === this.policy.goalCount) this.close();
    else if (this.phase === "selecting" && this.devices.filter((device) => device !== "left").length === this.policy.assignedTarget) this.report(at);
    else if (this.phase === "reporting" && this.count("working") === 0) this.closeReporting();
  }

  private report(at: number): void {
    this.phase = "reporting";
    this.deadline = at + this.policy.reportingWindowMs;
    if (this.count("working") === 0) this.closeReporting();
  }

  private closeReporting(): void {
    const reported = this.count("reported");
    if (reported === 0 || reported < this.policy.reportingFractionMin * this.policy.goalCount) this.abandon("too-few-reports");
    else this.close();
  }

  private close(): void {
    this.phase = "committing";
    this.effects.push("commit");
  }

  private abandon(reason: AbandonReason): void {
    this.phase = "abandoned";
    this.reason = reason;
    this.effects.push(`discard-sum ${reason}`);
  }
}
