import { assert } from "@tutti/base";
import { noMetricSums } from "@tutti/learning";
import type { RoundId } from "@tutti/protocol";
import { idleKernelsMax } from "../limits.ts";
import { openCheckpoint, type Checkpoint } from "./checkpoint.ts";
import type { CheckpointPorts } from "./checkpoints.ts";
import { ExactRoundSum } from "./exact-round-sum.ts";
import type { Aggregator, RoundSumOptions } from "./round-sum.ts";
import { Staging } from "./staging.ts";
import { loadSumKernels, type SumKernel } from "./sum-kernel.ts";

/** Both files of a round's checkpoints were changed by somebody: reports that were acknowledged cannot be found. */
export class CheckpointCorruptError extends Error {
  override readonly name = "CheckpointCorruptError";
}

/** Exact sums on the WebAssembly kernel, with sealed checkpoints in `ports.files`. */
export function createAggregator(ports: CheckpointPorts): Aggregator {
  const newKernel = loadSumKernels();
  const staging = new Staging();
  const idle: SumKernel[] = [];
  const giveKernel = (kernel: SumKernel): void => {
    if (idle.length < idleKernelsMax) idle.push(kernel);
  };
  return {
    open: async (options) => {
      const start = await newestCheckpoint(ports, options);
      return new ExactRoundSum({ options, ports, staging, kernel: idle.pop() ?? newKernel(), start, giveKernel });
    },
    keepOnly: (rounds: ReadonlySet<RoundId>) => ports.files.keepOnly(rounds),
  };
}

/** What the files hold, or an empty sum before the first checkpoint was whole. */
async function newestCheckpoint({ files }: CheckpointPorts, { round, sumKey, parameterCount }: RoundSumOptions): Promise<Checkpoint> {
  const contents = (await files.read(round)).filter((content) => content !== undefined);
  const whole = contents.flatMap((content) => {
    const opened = openCheckpoint(content, { round, key: sumKey });
    return opened.ok ? [opened.value] : [];
  });
  const [first, second] = whole;
  // One file may be torn by a crash: nothing in it was acknowledged. Two cannot be.
  if (first === undefined && contents.length === 2) throw new CheckpointCorruptError(`round ${round}: neither of its two checkpoints is whole`);
  const newest = second !== undefined && (first === undefined || second.sequence > first.sequence) ? second : first;
  assert(newest === undefined || newest.vector.length === parameterCount, "a checkpoint has the length of its round's model");
  return newest ?? { sequence: 0, weight: 0, metrics: noMetricSums, reports: new Map(), vector: new Float64Array(parameterCount) };
}
