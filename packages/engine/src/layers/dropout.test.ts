import { SeededRandom } from "@tutti/base";
import { describe, expect, test } from "vitest";
import { jsWorkspace } from "../js/js-workspace.ts";
import { Network } from "../network/network.ts";
import { planNetwork } from "../network/plan.ts";
import { relativeL2 } from "../test/distance.ts";
import { examplesOf, gridVector, parametersOf, sandwich } from "../test/models.ts";
import { bareModel } from "../test/outputs.ts";

const rate = 0.25;

/** Numbers after a pass with dropout drawn from `random`, on float64. */
function passed(model: ReturnType<typeof bareModel>, parameters: Float32Array, batchSize: number, random: SeededRandom) {
  const plan = planNetwork(model, batchSize);
  const network = new Network(model, plan, jsWorkspace((count) => new Float64Array(count)));
  const { parameterCount } = plan.layout;
  network.workspace.reserve(plan.elementCount + parameterCount);
  network.workspace.numbers.set(parameters);
  network.load(examplesOf(model, batchSize, 3), Uint32Array.from({ length: batchSize }, (_, i) => i), 0, batchSize);
  const options = { random, frozen: new Set<string>(), sink: { base: plan.elementCount, scale: 1, isFused: false } };
  const { lossSum, predictionCount } = network.forward(options);
  network.backward(options);
  const read = (offset: number, count: number): Float64Array => Float64Array.from(network.workspace.numbers.subarray(offset, offset + count));
  return { loss: lossSum / predictionCount, gradient: read(plan.elementCount, parameterCount), output: read(plan.output.value, batchSize * plan.output.exampleSize) };
}

describe("dropout in training", () => {
  test("zeroes a share of `rate`, scales the rest by 1/(1 − rate), and draws anew for another step", () => {
    const model = bareModel([5000], [5000], { name: "drop", kind: "dropout", rate });
    const random = SeededRandom.from(8);
    const [first, second] = [1, 2].map((step) => passed(model, new Float32Array(0), 1, random.split(step)).output);
    const x = gridVector(5000, 4);
    const kept = Array.from(first ?? [], (value, i) => value !== 0 || x[i] === 0);
    expect(relativeL2(first ?? [], Array.from(x, (value, i) => (kept[i] === true ? value / (1 - rate) : 0)))).toBeLessThan(1e-12);
    // 5000 draws of probability 0.75: a standard deviation of √(0.75·0.25/5000) = 0.0061; six of them, 2e-9. The seed is fixed.
    expect(Math.abs(kept.filter(Boolean).length / 5000 - 0.75)).toBeLessThan(6 * 0.0061);
    expect(second).not.toEqual(first);
  });

  test("has the gradient of the loss under the mask that was drawn", () => {
    const model = sandwich([5], { name: "drop", kind: "dropout", rate });
    const parameters = parametersOf(model, 1);
    const lossAt = (i: number, change: number): number => passed(model, parameters.with(i, (parameters[i] ?? 0) + change), 3, SeededRandom.from(5)).loss;
    const step = 2 ** -14;
    const slopes = Float64Array.from(parameters, (_, i) => (lossAt(i, step) - lossAt(i, -step)) / (2 * step));
    const { gradient } = passed(model, parameters, 3, SeededRandom.from(5));
    expect(relativeL2(gradient, slopes)).toBeLessThan(1e-6);
    expect(relativeL2(passed(model, parameters, 3, SeededRandom.from(6)).gradient, slopes)).toBeGreaterThan(1e-2);
  });
});
