import { durationMs, type DurationMs, type InstantMs } from "@tutti/base";
import type { CheckInAnswer, PopulationKeys, RoundId, TaskName } from "@tutti/protocol";
import { meanWaitOf, populationFromArrivals, retryWindows, type RetryWindows } from "@tutti/rounds";
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { Arrivals } from "./arrivals.ts";
import { checkInAnswerLifeMs, enrolmentsPerSecondMax } from "./limits.ts";
import type { LiveRound } from "./live-round.ts";
import { publicKeysOf, signersOf, type Signers } from "./population-keys.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { RateLimit } from "./rate-limit.ts";
import type { PopulationRow } from "./store/store.ts";
import type { TaskRun } from "./task-run.ts";

type Answered = { readonly answer: CheckInAnswer; readonly at: InstantMs };

/** One population while the coordinator runs: its keys, its tasks, and the counts that pace its devices. */
export class PopulationRun {
  readonly ports: CoordinatorPorts;
  readonly row: PopulationRow;
  readonly signers: Signers;
  readonly keys: PopulationKeys;
  /** Of aggregate/fingerprint; from the token key, so that it lives as long as the tokens that repeats carry. */
  readonly fingerprintKey: KeyObject;
  /** Of capability tokens. */
  readonly tokenKey: KeyObject;
  readonly tasks = new Map<TaskName, TaskRun>();
  readonly enrolments = new RateLimit(enrolmentsPerSecondMax);
  readonly #arrivals: Arrivals;
  readonly #answers = new Map<number, Answered>();
  #meanWaitMs: DurationMs;

  constructor(ports: CoordinatorPorts, row: PopulationRow) {
    this.ports = ports;
    this.row = row;
    this.signers = signersOf(row);
    this.keys = publicKeysOf(this.signers);
    this.tokenKey = createSecretKey(row.tokenKey);
    this.fingerprintKey = createSecretKey(createHmac("sha256", this.tokenKey).update("tutti/1 fingerprint key").digest());
    this.#arrivals = new Arrivals(ports.clock.now());
    this.#meanWaitMs = durationMs(0);
  }

  /** The open round of this id, if it is one of this population and still open. */
  liveRound(id: RoundId): LiveRound | undefined {
    for (const task of this.tasks.values()) if (task.live?.id === id) return task.live;
    return undefined;
  }

  /** The answer to a check-in that comes now: what has a place, and when to come again. @param protocol that the device speaks. */
  checkInAnswer(protocol: number): CheckInAnswer {
    const now = this.ports.clock.now();
    this.#arrivals.add(now, this.#meanWaitMs);
    const earlier = this.#answers.get(protocol);
    if (earlier !== undefined && now - earlier.at < checkInAnswerLifeMs && now >= earlier.at) return earlier.answer;
    const tasks = [...this.tasks.values()].flatMap((task) => task.offer(protocol) ?? []);
    const answer = { tasks, retry: this.retryWindows() };
    this.#answers.set(protocol, { answer, at: now });
    return answer;
  }

  /** The two windows for a device that asks now. */
  retryWindows(): RetryWindows {
    const checkInsPerSecond = this.#arrivals.perSecond(this.ports.clock.now(), this.#meanWaitMs);
    const windows = retryWindows({
      populationCount: populationFromArrivals({ checkInsPerSecond, meanWaitMs: this.#meanWaitMs }),
      tasks: [...this.tasks.values()].flatMap((task) => task.paced() ?? []),
    });
    this.#meanWaitMs = meanWaitOf(windows.rejected);
    return windows;
  }
}
