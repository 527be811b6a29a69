import { assert, durationMs, type Bytes } from "@tutti/base";
import { addMetricSums, metricGridOf, metricsOnGrid, sumGridOf, type SumGrid } from "@tutti/learning";
import { reportWeightOf } from "@tutti/privacy";
import type { AssignmentId, MetricSums } from "@tutti/protocol";
import { worldFailureRetryMs } from "../limits.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { Checkpoints, type CheckpointPorts, type TakenSum } from "./checkpoints.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { decodeReportBody, lengthFault, type ReportBody } from "./report-body.ts";
import {
  BodyOverrunError, type ClosedSum, type ReportOutcome, type ReportRefusal, type RoundSum, type RoundSumOptions, type SummedReport, type Upload,
} from "./round-sum.ts";
import type { Staging } from "./staging.ts";
import type { SumKernel } from "./sum-kernel.ts";

type Parts = {
  readonly options: RoundSumOptions;
  readonly ports: CheckpointPorts;
  readonly staging: Staging;
  readonly kernel: SumKernel;
  readonly start: Checkpoint;
  /** Takes the kernel back for another round. */
  readonly giveKernel: (kernel: SumKernel) => void;
};

/** The sum of one round on its kernel. A report is added whole, in one go, and acknowledged from a checkpoint on. */
export class ExactRoundSum implements RoundSum {
  readonly #options: RoundSumOptions;
  readonly #staging: Staging;
  readonly #kernel: SumKernel;
  readonly #giveKernel: Parts["giveKernel"];
  readonly #ports: CheckpointPorts;
  readonly #checkpoints: Checkpoints;
  readonly #grids: { readonly delta: SumGrid; readonly metrics: SumGrid };
  readonly #reports: Map<number, SummedReport>;
  /** Slots in the sum that no durable checkpoint holds yet. */
  readonly #uncounted = new Set<number>();
  readonly #over = new AbortController();
  #isRetrying = false;
  #weight: number;
  #metrics: MetricSums;
  #state: "open" | "closed" | "discarded" = "open";

  constructor({ options, ports, staging, kernel, start, giveKernel }: Parts) {
    const { parameterCount, clause, reportsMax, round, sumKey } = options;
    this.#options = options;
    this.#staging = staging;
    this.#kernel = kernel;
    this.#giveKernel = giveKernel;
    this.#ports = ports;
    this.#grids = { delta: sumGridOf({ clipNorm: clause.clipNorm, weightMax: clause.weightMax, reportsMax }), metrics: metricGridOf(reportsMax) };
    this.#reports = new Map(start.reports);
    this.#weight = start.weight;
    this.#metrics = start.metrics;
    kernel.begin(parameterCount);
    kernel.sum.set(start.vector);
    this.#checkpoints = new Checkpoints(ports, { round, key: sumKey }, start.sequence, () => this.#take());
  }

  get countedCount(): number {
    return this.#reports.size - this.#uncounted.size;
  }

  has(slot: number): boolean {
    return this.#reports.has(slot);
  }

  beginUpload({ assignment, slot, bodyBytes }: { readonly assignment: AssignmentId; readonly slot: number; readonly bodyBytes: number }): Upload | ReportRefusal {
    const fault = lengthFault(bodyBytes, this.#options.parameterCount);
    if (fault !== undefined) return fault;
    const buffer = this.#staging.take(bodyBytes);
    return buffer === undefined ? { code: "overloaded" } : this.#uploadInto(buffer, { assignment, slot, bodyBytes });
  }

  async close(): Promise<ClosedSum> {
    assert(this.#state !== "discarded", "a sum is closed before it is discarded");
    this.#state = "closed";
    if (this.#uncounted.size > 0) await this.#checkpoints.now();
    return { vector: this.#kernel.sum, weight: this.#weight, metrics: this.#metrics, reports: this.#reports };
  }

  async discard(): Promise<void> {
    if (this.#state !== "discarded") this.#giveKernel(this.#kernel);
    this.#state = "discarded";
    this.letGo();
    await this.#ports.files.remove(this.#options.round);
  }

  letGo(): void {
    this.#over.abort(new Error("the sum is let go"));
  }

  #uploadInto(buffer: Bytes, upload: { readonly assignment: AssignmentId; readonly slot: number; readonly bodyBytes: number }): Upload {
    const { assignment, slot, bodyBytes } = upload;
    let at = 0;
    let isHeld = true;
    const discard = (): void => {
      if (isHeld) this.#staging.give(buffer);
      isHeld = false;
    };
    return {
      write: (chunk) => {
        assert(isHeld, "an upload is written until it is finished or discarded");
        if (at + chunk.length > bodyBytes) throw new BodyOverrunError(`more than the ${bodyBytes} bytes of its Content-Length`);
        buffer.set(chunk, at);
        at += chunk.length;
      },
      finish: () => {
        assert(isHeld, "an upload is finished once");
        try {
          if (at < bodyBytes) return this.#settled(slot, { code: "malformed", path: "/", expected: `${bodyBytes} bytes, as its Content-Length says` });
          return this.#settled(slot, this.#receive({ assignment, slot, body: buffer.subarray(0, bodyBytes) }));
        } finally {
          discard();
        }
      },
      discard,
    };
  }

  /** Adds a report unless it is in the sum already; undefined when it is in the sum now. Everything here happens in one turn. */
  #receive(report: { readonly assignment: AssignmentId; readonly slot: number; readonly body: Uint8Array }): ReportRefusal | undefined {
    const { assignment, slot, body } = report;
    const fingerprint = fingerprintOf(this.#options.fingerprintKey, assignment, body);
    const earlier = this.#reports.get(slot);
    if (earlier !== undefined) return earlier.fingerprint === fingerprint ? undefined : { code: "report-conflict" };
    if (this.#state !== "open" || this.#reports.size >= this.#options.reportsMax) return { code: "round-closed" };
    const decoded = decodeReportBody(body, { assignment, parameterCount: this.#options.parameterCount });
    if (!decoded.ok) return decoded.error;
    const refusal = this.#add(decoded.value);
    if (refusal !== undefined) return refusal;
    this.#reports.set(slot, { fingerprint, phases: decoded.value.facts.phases });
    this.#uncounted.add(slot);
    if (this.#options.durability === "memory") this.#count(slot);
    return undefined;
  }

  #add({ delta, facts }: ReportBody): ReportRefusal | undefined {
    const { clause } = this.#options;
    const metrics = metricsOnGrid(facts.metrics, this.#grids.metrics);
    if ("code" in metrics) return metrics;
    const weight = reportWeightOf(facts.examples, clause);
    const fault = this.#kernel.addWithin(delta, { weight, grid: this.#grids.delta, clipNorm: clause.clipNorm });
    if (fault !== null) return fault;
    this.#weight += weight;
    this.#metrics = addMetricSums(this.#metrics, metrics);
    return undefined;
  }

  async #settled(slot: number, refusal: ReportRefusal | undefined): Promise<ReportOutcome> {
    if (refusal !== undefined) return { kind: "refused", refusal };
    if (this.#uncounted.has(slot)) await this.#checkpointed();
    return { kind: "counted" };
  }

  async #checkpointed(): Promise<void> {
    try {
      await this.#checkpoints.next();
    } catch (cause) {
      void this.#tryAgain();
      throw cause;
    }
  }

  /** A report that is in the sum and in no checkpoint holds its round up, also when its device never comes back. */
  async #tryAgain(): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    try {
      await this.#ports.clock.sleep(durationMs(worldFailureRetryMs), this.#over.signal);
    } catch {
      // Let go: whoever takes the round up again begins from its checkpoint.
      return;
    }
    this.#isRetrying = false;
    // A failure has begun the next try already.
    if (this.#state === "open" && this.#uncounted.size > 0) await this.#checkpointed().catch(() => undefined);
  }

  /** What a checkpoint holds, all of one moment, and the reports that it is the first to hold. */
  #take(): TakenSum {
    const slots = [...this.#uncounted];
    return {
      content: { weight: this.#weight, metrics: this.#metrics, reports: this.#reports, vector: this.#kernel.sum },
      durable: () => slots.forEach((slot) => this.#count(slot)),
    };
  }

  #count(slot: number): void {
    this.#uncounted.delete(slot);
    this.#options.onCounted(slot);
  }
}
