import type { BatchSource } from "@tutti/engine";
import { DataSetError } from "../data-set-error.ts";
import { pooledBytesMax } from "../limits.ts";
import type { Person } from "../population.ts";

type Values = Float32Array | Int32Array;

/** All examples of some people in one place. `labels` [exampleCount]: each example's one target. */
export type Pool = { readonly examples: BatchSource; readonly labels: Values };

/** @throws DataSetError where examples differ in their shape, have no single label, or take too much memory. */
export function pooled(people: readonly Person[]): Pool {
  const parts = people.map(({ examples }) => examples());
  const exampleCount = parts.reduce((sum, part) => sum + part.exampleCount, 0);
  const inputs = joined(parts, ({ inputs: values }) => values, exampleCount);
  const labels = joined(parts, ({ targets }) => targets, exampleCount);
  if (labels.length !== exampleCount) throw new DataSetError(`${labels.length / exampleCount} targets for each example; a partition by label expects one`);
  return { examples: { exampleCount, inputs, targets: labels }, labels };
}

function joined(parts: readonly BatchSource[], valuesOf: (part: BatchSource) => Values, exampleCount: number): Values {
  const [first] = parts;
  if (first === undefined) throw new DataSetError("no examples to deal out");
  const width = valuesOf(first).length / first.exampleCount;
  const isFloat = valuesOf(first) instanceof Float32Array;
  if (4 * width * exampleCount > pooledBytesMax) throw new DataSetError(`${4 * width * exampleCount} bytes of pooled examples; expected at most ${pooledBytesMax}`);
  const whole = isFloat ? new Float32Array(width * exampleCount) : new Int32Array(width * exampleCount);
  let at = 0;
  for (const part of parts) {
    const values = valuesOf(part);
    if (values.length !== width * part.exampleCount || values instanceof Float32Array !== isFloat) throw new DataSetError("people whose examples differ in shape or type cannot be pooled");
    whole.set(values, at);
    at += values.length;
  }
  return whole;
}

/** These rows of the pool, as a device's own examples: inputs and targets side by side, as its store lays them out. */
export function gathered({ examples, labels }: Pool, rows: readonly number[]): BatchSource {
  const width = examples.inputs.length / examples.exampleCount;
  const buffer = new ArrayBuffer(4 * rows.length * (width + 1));
  const inputs = viewLike(examples.inputs, buffer, { start: 0, length: rows.length * width });
  const targets = viewLike(labels, buffer, { start: 4 * inputs.length, length: rows.length });
  for (const [i, row] of rows.entries()) {
    inputs.set(examples.inputs.subarray(row * width, (row + 1) * width), i * width);
    targets[i] = labels[row] ?? 0;
  }
  return { exampleCount: rows.length, inputs, targets };
}

function viewLike(values: Values, buffer: ArrayBuffer, { start, length }: { readonly start: number; readonly length: number }): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  return values instanceof Float32Array ? new Float32Array(buffer, start, length) : new Int32Array(buffer, start, length);
}
