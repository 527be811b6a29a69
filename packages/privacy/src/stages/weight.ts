import { assert } from "@tutti/base";
import type { SumClause } from "@tutti/protocol";

/**
 * What a report counts in its sum: min(examples, weightMax); weightMax 1 weighs all devices alike.
 * Device half: sends `examples` beside a plain report, whose coordinates stay unweighted. Server half:
 * multiplies by this weight as it adds, and the server optimizer divides by the sum of the weights.
 * The maximum bounds what one device with many examples can do; it is not private how many it has.
 */
export function reportWeightOf(exampleCount: number, { weightMax }: Pick<SumClause, "weightMax">): number {
  assert(Number.isSafeInteger(exampleCount) && exampleCount >= 1, "a report is about at least one example");
  return Math.min(exampleCount, weightMax);
}
