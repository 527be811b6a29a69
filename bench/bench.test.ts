import { expect, test } from "vitest";
import { benchRow, median, mediansOfRuns } from "./bench.ts";

test("a median is the middle one, or the mean of the two in the middle, whatever the order", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 9])).toBe(3); // (2 + 4) / 2
  expect(median([])).toBeNaN();
});

test("subjects run in turn, not one after the other, and each has its own median", async () => {
  const order: string[] = [];
  const subject = (name: string, figures: number[]) => () => {
    order.push(name);
    return figures.shift() ?? Number.NaN;
  };
  const medians = await mediansOfRuns(3, [subject("ours", [3, 100, 2]), subject("reference", [7, 6, 8])]);
  expect(medians).toEqual([3, 7]);
  expect(order.join(" ")).toBe("ours reference ours reference ours reference");
});

test("a target is met at its bound and missed beyond it", () => {
  const measured = { name: "check-ins", unit: "1/s", reference: 100 };
  const floor = { kind: "ratio-at-least", bound: 0.8 } as const;
  expect(benchRow({ ...measured, value: 80, target: floor })).toMatchObject({ ratio: 0.8, target: "ratio ≥ 0.8", met: true });
  expect(benchRow({ ...measured, value: 79, target: floor }).met).toBe(false);
  const ceiling = { kind: "value-at-most", bound: 300 } as const;
  expect(benchRow({ ...measured, value: 300, target: ceiling })).toMatchObject({ target: "value ≤ 300", met: true });
  expect(benchRow({ ...measured, value: 301, target: ceiling }).met).toBe(false);
});
