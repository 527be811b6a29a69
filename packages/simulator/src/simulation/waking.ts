import { assert, type SeededRandom } from "@tutti/base";
import type { ParticipationOutcome } from "@tutti/device";
import type { Eligibility, TaskKind } from "@tutti/protocol";
import type { VirtualTime } from "../world/virtual-time.ts";
import type { SimulatedDevice } from "./simulated-device.ts";

/** An answer to a check-in is used again for 20 ms: no device comes before the round that it is woken for is offered. */
const wakeMsMin = 100;
const wakeMsSpread = 1000;

type OpenedRound = { readonly round: number; readonly roundKind: TaskKind; readonly assignedTarget: number };

export type WakingParts = {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly devices: Readonly<Record<Eligibility["cohort"], readonly SimulatedDevice[]>>;
  readonly interrupted: AbortSignal;
  /** A device broke a promise of its own. */
  readonly onFault: (cause: unknown) => void;
};

/**
 * Who comes to a round: devices drawn uniformly without replacement, as in the paper's loop (McMahan et al.
 * 2017, algorithm 1), each woken for one participation. Pacing is not simulated here: idle devices that
 * ask and are sent away would cost what training should have, and come in an order of their own.
 */
export class Waking {
  readonly #parts: WakingParts;
  #order: readonly SimulatedDevice[] = [];
  #next = 0;
  #round = -1;
  participationCount = 0;
  /** How the last device ended that gave no report, in words. */
  lastTrouble = "none came";

  constructor(parts: WakingParts) {
    this.#parts = parts;
  }

  /** Draws the round's order anew, and wakes as many as it has places. */
  roundOpened({ round, roundKind, assignedTarget }: OpenedRound): void {
    const { random, devices } = this.#parts;
    const cohort = devices[roundKind === "train" ? "training" : "held-out"];
    this.#order = Array.from(random.split(round).permutation(cohort.length), (index) => deviceAt(cohort, index));
    this.#round = round;
    this.#next = 0;
    for (let place = 0; place < assignedTarget; place++) this.#wakeNext();
  }

  #wakeNext(): void {
    const device = this.#order[this.#next++];
    const round = this.#round;
    if (device === undefined) return;
    const { time, random, interrupted, onFault } = this.#parts;
    time.after(wakeMsMin + wakeMsSpread * random.uniform(), () => {
      this.participationCount++;
      device.participate(interrupted).then((outcome) => this.#ended(round, outcome), onFault);
    });
  }

  /** Who did not come into the round, or left it, is replaced while it is open. */
  #ended(round: number, { ending }: ParticipationOutcome): void {
    if (ending.kind === "done" || ending.kind === "goal-reached") return;
    this.lastTrouble = [ending.kind, ..."reason" in ending ? [ending.reason] : [], ..."detail" in ending && ending.detail !== "" ? [ending.detail] : []].join(", ");
    if (round === this.#round) this.#wakeNext();
  }
}

function deviceAt(devices: readonly SimulatedDevice[], index: number): SimulatedDevice {
  const device = devices[index];
  assert(device !== undefined, "a permutation holds places of its list");
  return device;
}
