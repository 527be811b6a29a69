import { SeededRandom } from "@tutti/base";

/** How the network of one world fails: rates in 0..1 per message, lengths in ms. 0 switches a fault off. */
export type NetworkSwarm = {
  readonly latencyMs: number;
  readonly requestLoss: number;
  readonly answerLoss: number;
  readonly doubling: number;
  readonly doubleAfterMsMax: number;
  readonly bodyBreak: number;
  readonly answerBreak: number;
  readonly slowness: number;
  readonly slowMsMax: number;
};

/** How its coordinator's machine fails. */
export type CoordinatorSwarm = {
  readonly diskLatencyMs: number;
  readonly crashesPerWrite: number;
  /** Mean time between crashes, stops and full disks that come by themselves; null for none. */
  readonly crashEveryMs: number | null;
  readonly stopEveryMs: number | null;
  readonly fullEveryMs: number | null;
  readonly fullMsMax: number;
  readonly downMsMax: number;
};

/** How its devices fail: mean times per device, null for never. */
export type DeviceSwarm = {
  readonly storeLatencyMs: number;
  readonly crashesPerWrite: number;
  readonly crashEveryMs: number | null;
  readonly freezeEveryMs: number | null;
  readonly restoreEveryMs: number | null;
  readonly clockJumpEveryMs: number | null;
  readonly clockOffsetMsMax: number;
  readonly conditionsLostEveryMs: number | null;
  readonly leavers: number;
  readonly minibatchMs: number;
};

/** One world: what it holds and what goes wrong in it. */
export type Swarm = {
  readonly seed: number;
  readonly faultyMs: number;
  readonly trainers: number;
  readonly evaluators: number;
  readonly hostile: number;
  readonly goalCount: number;
  readonly overSelection: number;
  readonly selectionFractionMin: number;
  readonly reportingFractionMin: number;
  readonly selectionWindowMs: number;
  readonly reportingWindowMs: number | "adaptive";
  readonly rounds: number;
  readonly tasks: number;
  readonly evaluateEvery: number | null;
  readonly durability: "checkpoint" | "memory";
  readonly operatorActsEveryMs: number | null;
  readonly mayHalt: boolean;
  readonly network: NetworkSwarm;
  readonly coordinator: CoordinatorSwarm;
  readonly device: DeviceSwarm;
};

const minute = 60_000;

/**
 * The world of a seed. Each fault is absent from half of the worlds, so that two that hide each other are
 * apart in some (swarm testing, Groce et al. 2012), and its rate is drawn where it is present.
 */
export function drawSwarm(seed: number): Swarm {
  const random = SeededRandom.from(seed).split("swarm");
  const between = (low: number, high: number): number => low + Math.floor(random.uniform() * (high - low + 1));
  const rate = (max: number): number => (random.below(2) === 0 ? 0 : max * random.uniform());
  const every = (low: number, high: number): number | null => (random.below(2) === 0 ? null : low + random.uniform() * (high - low));
  const goalCount = between(1, 4);
  const overSelection = 1 + 0.5 * random.below(3);
  const places = Math.ceil(goalCount * overSelection);
  const leavers = random.below(2) === 0 ? 0 : between(1, 3);
  const isEvaluated = random.below(4) === 0;
  return {
    seed,
    faultyMs: between(3, 12) * minute,
    // Two more than a round has places for: a device may be at work when the next round opens.
    trainers: places + leavers + between(2, 4),
    evaluators: isEvaluated ? between(1, 2) : 0,
    hostile: random.below(2) === 0 ? 0 : between(1, 2),
    goalCount,
    overSelection,
    selectionFractionMin: 0.5 + 0.5 * random.uniform(),
    reportingFractionMin: 0.3 + 0.7 * random.uniform(),
    selectionWindowMs: between(15, 60) * 1000,
    reportingWindowMs: random.below(4) === 0 ? "adaptive" : between(20, 90) * 1000,
    rounds: between(2, 4),
    tasks: random.below(4) === 0 ? 2 : 1,
    evaluateEvery: isEvaluated ? between(1, 2) : null,
    durability: random.below(4) === 0 ? "memory" : "checkpoint",
    operatorActsEveryMs: every(minute, 4 * minute),
    mayHalt: random.below(4) === 0,
    network: {
      latencyMs: random.below(2) === 0 ? 5 : 200,
      requestLoss: rate(0.1), answerLoss: rate(0.1), doubling: rate(0.2), doubleAfterMsMax: random.below(2) === 0 ? 1000 : 3 * minute,
      bodyBreak: rate(0.3), answerBreak: rate(0.15), slowness: rate(0.1), slowMsMax: random.below(2) === 0 ? 2000 : minute,
    },
    coordinator: {
      diskLatencyMs: random.below(3) === 0 ? 0 : 20,
      crashesPerWrite: rate(0.03), crashEveryMs: every(minute, 5 * minute), stopEveryMs: every(2 * minute, 8 * minute),
      fullEveryMs: every(minute, 5 * minute), fullMsMax: 20_000, downMsMax: random.below(2) === 0 ? 500 : 30_000,
    },
    device: {
      storeLatencyMs: random.below(2) === 0 ? 0 : 5,
      crashesPerWrite: rate(0.05), crashEveryMs: every(minute, 10 * minute), freezeEveryMs: every(minute, 10 * minute),
      restoreEveryMs: every(5 * minute, 20 * minute), clockJumpEveryMs: every(3 * minute, 20 * minute), clockOffsetMsMax: rate(86_400_000 * 400),
      conditionsLostEveryMs: every(2 * minute, 10 * minute), leavers, minibatchMs: random.below(2) === 0 ? 200 : 3000,
    },
  };
}
