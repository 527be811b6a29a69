import { expect, test } from "vitest";
import { initialParameters } from "./initial-parameters.ts";
import { layoutOf } from "./layout.ts";
import { modelOf, sandwich } from "./test/models.ts";

const model = sandwich([40], { name: "relu", kind: "relu" });

test("one seed gives one start, and another seed another", () => {
  expect(initialParameters(model, 7)).toEqual(initialParameters(model, 7));
  expect(initialParameters(model, 8)).not.toEqual(initialParameters(model, 7));
});

test("a layer that is added leaves the start of the others alone", () => {
  const longer = modelOf({ ...model, layers: model.layers.flatMap((layer) => layer.name === "relu" ? [layer, { name: "more", kind: "dense", from: ["relu"], units: 40 }] : layer.name === "flat" ? [{ ...layer, from: ["more"] }] : [layer]) });
  const [before, after] = [initialParameters(model, 7), initialParameters(longer, 7)];
  for (const tensor of layoutOf(model).tensors) {
    const moved = layoutOf(longer).tensors.find(({ name }) => name === tensor.name)?.offset ?? 0;
    expect(after.subarray(moved, moved + tensor.elementCount)).toEqual(before.subarray(tensor.offset, tensor.offset + tensor.elementCount));
  }
});

test("weights fill their interval: He's before a relu, Glorot's elsewhere, and biases are zero", () => {
  const start = initialParameters(model, 7);
  // He: √(6/40); Glorot: √(6/(40 + 3)). The greatest of 120 draws is below 0.9 of the bound by chance 0.9^120 = 3e-6, of 1600 never.
  const [he, glorot] = [Math.sqrt(6 / 40), Math.sqrt(6 / 43)];
  const greatest = (from: number, to: number): number => start.subarray(from, to).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(greatest(0, 1600)).toBeGreaterThan(0.99 * he);
  expect(greatest(0, 1600)).toBeLessThanOrEqual(he * (1 + 1e-7));
  expect(greatest(1640, 1760)).toBeGreaterThan(0.9 * glorot);
  expect(greatest(1640, 1760)).toBeLessThanOrEqual(glorot * (1 + 1e-7));
  expect([greatest(1600, 1640), greatest(1760, 1763)]).toEqual([0, 0]);
});
