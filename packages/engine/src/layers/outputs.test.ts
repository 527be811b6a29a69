import { describe, expect, test } from "vitest";
import { jsEngine } from "../js/js-engine.ts";
import type { Shape } from "../model.ts";
import { relativeL2 } from "../test/distance.ts";
import { examplesOf, gridVector, modelOf, parametersOf } from "../test/models.ts";
import { bareModel, outputOf } from "../test/outputs.ts";
import { idlePorts } from "../test/ports.ts";

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Output of a model of one layer, beside its input and parameters. */
function measured(input: Shape, output: Shape, layer: object) {
  const model = bareModel(input, output, { name: "under", ...layer });
  const parameters = parametersOf(model, 3);
  const batch = examplesOf(model, 2, 4);
  return { x: batch.inputs, w: parameters, y: outputOf(model, parameters, batch) };
}

test("dense is x·W + b with W [in, units] before b", () => {
  const { x, w, y } = measured([3], [2], { kind: "dense", units: 2 });
  const expected = range(2).flatMap((r) => range(2).map((j) => sum(range(3).map((p) => (x[r * 3 + p] ?? 0) * (w[p * 2 + j] ?? 0))) + (w[6 + j] ?? 0)));
  expect(relativeL2(y, expected)).toBeLessThan(1e-12);
});

/** y[oy, ox, f] = b[f] + Σ x[oy·s − top + i, ox·s − left + j, c]·W[i, j, c, f], padding zero (docs/engine.md). */
function convolution(x: ArrayLike<number>, w: ArrayLike<number>, c: { h: number; w: number; channels: number; wh: number; ww: number; s: number; top: number; left: number; oh: number; ow: number; filters: number }): number[] {
  const at = (row: number, column: number, channel: number, example: number): number =>
    row < 0 || row >= c.h || column < 0 || column >= c.w ? 0 : (x[((example * c.h + row) * c.w + column) * c.channels + channel] ?? 0);
  return range(2).flatMap((example) => range(c.oh).flatMap((oy) => range(c.ow).flatMap((ox) => range(c.filters).map((f) =>
    (w[c.wh * c.ww * c.channels * c.filters + f] ?? 0) + sum(range(c.wh).flatMap((i) => range(c.ww).flatMap((j) => range(c.channels).map((channel) =>
      at(oy * c.s - c.top + i, ox * c.s - c.left + j, channel, example) * (w[((i * c.ww + j) * c.channels + channel) * c.filters + f] ?? 0)))))))));
}

describe("convolution", () => {
  const sizes = { h: 5, w: 4, channels: 2, wh: 3, ww: 2, filters: 3 };

  test("conv2d with padding valid has no padding", () => {
    const { x, w, y } = measured([5, 4, 2], [3, 3, 3], { kind: "conv2d", filters: 3, window: [3, 2], padding: "valid" });
    expect(relativeL2(y, convolution(x, w, { ...sizes, s: 1, top: 0, left: 0, oh: 3, ow: 3 }))).toBeLessThan(1e-12);
  });

  test("conv2d with padding same pads one row above, and the spare column behind", () => {
    const { x, w, y } = measured([5, 4, 2], [5, 4, 3], { kind: "conv2d", filters: 3, window: [3, 2] });
    // Rows: 5·1 + 3 − 1 − 5 = 2 of padding, one above; columns: 4 + 2 − 1 − 4 = 1, none left.
    expect(relativeL2(y, convolution(x, w, { ...sizes, s: 1, top: 1, left: 0, oh: 5, ow: 4 }))).toBeLessThan(1e-12);
  });

  test("conv2d with padding same and stride 2 gives ceil(extent/2) positions", () => {
    const { x, w, y } = measured([5, 4, 2], [3, 2, 3], { kind: "conv2d", filters: 3, window: [3, 2], stride: [2, 2] });
    // Rows: (3 − 1)·2 + 3 − 5 = 2 of padding; columns: (2 − 1)·2 + 2 − 4 = 0.
    expect(relativeL2(y, convolution(x, w, { ...sizes, s: 2, top: 1, left: 0, oh: 3, ow: 2 }))).toBeLessThan(1e-12);
  });

  test("conv1d is conv2d on a picture of height 1", () => {
    const { x, w, y } = measured([7, 2], [7, 3], { kind: "conv1d", filters: 3, window: 4 });
    // 7 + 4 − 1 − 7 = 3 of padding, one left.
    expect(relativeL2(y, convolution(x, w, { h: 1, w: 7, channels: 2, wh: 1, ww: 4, filters: 3, s: 1, top: 0, left: 1, oh: 1, ow: 7 }))).toBeLessThan(1e-12);
  });
});

describe("pooling", () => {
  /** A row of 5 positions, one channel, windows of 3 at stride 2 with padding same: [−1..1], [1..3], [3..5]. */
  const windows = [[0, 1], [1, 2, 3], [3, 4]];
  const pooled = (kind: string) => measured([5, 1], [3, 1], { kind, window: [3], stride: [2], padding: "same" });
  const under = (x: ArrayLike<number>): number[][] => range(2).flatMap((example) => windows.map((window) => window.map((i) => x[example * 5 + i] ?? 0)));

  test("max-pool takes the greatest and never the padding", () => {
    const { x, y } = pooled("max-pool");
    expect([...y]).toEqual(under(x).map((window) => Math.max(...window)));
  });

  test("average-pool divides by the positions inside", () => {
    const { x, y } = pooled("average-pool");
    expect(relativeL2(y, under(x).map((window) => sum(window) / window.length))).toBeLessThan(1e-12);
  });

  test("global pools reduce all positions to one per channel", () => {
    const most = measured([2, 3, 2], [2], { kind: "global-max-pool" });
    const mean = measured([2, 3, 2], [2], { kind: "global-average-pool" });
    const channel = (x: ArrayLike<number>): number[][] => range(2).flatMap((example) => range(2).map((c) => range(6).map((i) => x[example * 12 + i * 2 + c] ?? 0)));
    expect([...most.y]).toEqual(channel(most.x).map((values) => Math.max(...values)));
    expect(relativeL2(mean.y, channel(mean.x).map((values) => sum(values) / 6))).toBeLessThan(1e-12);
  });
});

test.each([
  ["relu", (x: number) => Math.max(0, x)],
  ["tanh", Math.tanh],
  ["sigmoid", (x: number) => 1 / (1 + Math.exp(-x))],
  ["silu", (x: number) => x / (1 + Math.exp(-x))],
  // Hendrycks and Gimpel 2016, section 2, the tanh form.
  ["gelu", (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
] as const)("%s is its formula", (kind, formula) => {
  const { x, y } = measured([9], [9], { kind });
  expect(relativeL2(y, Array.from(x, formula))).toBeLessThan(1e-12);
});

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const row = (values: ArrayLike<number>, first: number, count: number): number[] => range(count).map((i) => values[first + i] ?? 0);
/** v·M + b for M [v.length, columns] in `w` from `first`. */
const times = (v: readonly number[], w: ArrayLike<number>, first: number, columns: number, bias: readonly number[]): number[] =>
  range(columns).map((j) => (bias[j] ?? 0) + sum(v.map((value, i) => value * (w[first + i * columns + j] ?? 0))));

describe("recurrences over 4 positions of width 3, 2 units", () => {
  test.each(["sequence", "last"] as const)("an lstm has the gates i, f, g, o and begins from zero; returns the %s", (returns) => {
    const { x, w, y } = measured([4, 3], returns === "last" ? [2] : [4, 2], { kind: "lstm", units: 2, returns });
    const states = range(2).flatMap((example) => {
      let [h, c] = [[0, 0], [0, 0]];
      return range(4).map((t) => {
        // Parameters: W [3, 8], U [2, 8], b [8].
        const z = times(h, w, 24, 8, times(row(x, (example * 4 + t) * 3, 3), w, 0, 8, row(w, 40, 8)));
        const at = (gate: number, u: number): number => z[2 * gate + u] ?? 0;
        c = range(2).map((u) => sigmoid(at(1, u)) * (c[u] ?? 0) + sigmoid(at(0, u)) * Math.tanh(at(2, u)));
        h = range(2).map((u) => sigmoid(at(3, u)) * Math.tanh(c[u] ?? 0));
        return h;
      });
    });
    const expected = returns === "last" ? [states[3], states[7]] : states;
    expect(relativeL2(y, expected.flatMap((state) => state ?? []))).toBeLessThan(1e-12);
  });

  test("a gru has the gates r, z, n, resets after the product, and begins from zero", () => {
    const { x, w, y } = measured([4, 3], [4, 2], { kind: "gru", units: 2 });
    const expected = range(2).flatMap((example) => {
      let h = [0, 0];
      return range(4).flatMap((t) => {
        // Parameters: W [3, 6], U [2, 6], b [6], d [6].
        const a = times(row(x, (example * 4 + t) * 3, 3), w, 0, 6, row(w, 30, 6));
        const s = times(h, w, 18, 6, row(w, 36, 6));
        const both = (gate: number, u: number): number => sigmoid((a[2 * gate + u] ?? 0) + (s[2 * gate + u] ?? 0));
        h = range(2).map((u) => {
          const n = Math.tanh((a[4 + u] ?? 0) + both(0, u) * (s[4 + u] ?? 0));
          return (1 - both(1, u)) * n + both(1, u) * (h[u] ?? 0);
        });
        return h;
      });
    });
    expect(relativeL2(y, expected)).toBeLessThan(1e-12);
  });
});

describe("norms", () => {
  const normalized = (values: readonly number[]): number[] => {
    const mean = sum(values) / values.length;
    const variance = sum(values.map((value) => (value - mean) ** 2)) / values.length;
    return values.map((value) => (value - mean) / Math.sqrt(variance + 1e-3));
  };

  test("layer norm brings each position's channels to mean 0 and variance 1, then scales and shifts", () => {
    const { x, w, y } = measured([2, 3], [2, 3], { kind: "layer-norm", epsilon: 1e-3 });
    const expected = range(4).flatMap((r) => normalized(row(x, 3 * r, 3)).map((value, j) => value * (w[j] ?? 0) + (w[3 + j] ?? 0)));
    expect(relativeL2(y, expected)).toBeLessThan(1e-12);
  });

  test("group norm does so over all positions of neighbouring channels", () => {
    const { x, w, y } = measured([3, 4], [3, 4], { kind: "group-norm", groups: 2, epsilon: 1e-3 });
    // Element (position p, channel j) of the example belongs to group ⌊j/2⌋, as its number 2p + j mod 2.
    const groups = range(4).map((g) => normalized(range(6).map((i) => x[Math.floor(g / 2) * 12 + Math.floor(i / 2) * 4 + (g % 2) * 2 + (i % 2)] ?? 0)));
    const expected = range(24).map((i) => {
      const [example, p, j] = [Math.floor(i / 12), Math.floor((i % 12) / 4), i % 4];
      return (groups[2 * example + Math.floor(j / 2)]?.[2 * p + (j % 2)] ?? 0) * (w[j] ?? 0) + (w[4 + j] ?? 0);
    });
    expect(relativeL2(y, expected)).toBeLessThan(1e-12);
  });
});

test.each([true, false])("attention is softmax(q·kᵀ/√d)·v per head, causal: %s", (causal) => {
  const { x, w, y } = measured([3, 4], [3, 4], { kind: "attention", heads: 2, causal });
  // Parameters: W [4, 12], b [12], Wₒ [4, 4], bₒ [4]; q, k and v are 4 columns each, a head is 2 of them.
  const expected = range(2).flatMap((example) => {
    const qkv = range(3).map((t) => times(row(x, (example * 3 + t) * 4, 4), w, 0, 12, row(w, 48, 12)));
    return range(3).flatMap((t) => {
      const seen = range(causal ? t + 1 : 3);
      const mixed = range(2).flatMap((head) => {
        const part = (position: number, which: number): number[] => row(qkv[position] ?? [], 4 * which + 2 * head, 2);
        const powers = seen.map((s) => Math.exp(sum(part(t, 0).map((value, i) => value * (part(s, 1)[i] ?? 0))) / Math.sqrt(2)));
        return range(2).map((i) => sum(seen.map((s) => ((powers[s] ?? 0) / sum(powers)) * (part(s, 2)[i] ?? 0))));
      });
      return times(mixed, w, 60, 4, row(w, 76, 4));
    });
  });
  expect(relativeL2(y, expected)).toBeLessThan(1e-12);
});

test("depthwise-conv2d multiplies each channel under its own window", () => {
  const { x, w, y } = measured([4, 3, 2], [3, 2, 2], { kind: "depthwise-conv2d", window: [2, 2], padding: "valid" });
  const expected = range(2).flatMap((example) => range(3).flatMap((oy) => range(2).flatMap((ox) => range(2).map((channel) =>
    (w[8 + channel] ?? 0) + sum(range(4).map((tap) => {
      const [i, j] = [Math.floor(tap / 2), tap % 2];
      return (x[((example * 4 + oy + i) * 3 + ox + j) * 2 + channel] ?? 0) * (w[tap * 2 + channel] ?? 0);
    }))))));
  expect(relativeL2(y, expected)).toBeLessThan(1e-12);
});

test("an embedding gives its table's rows, and a tied layer multiplies by them transposed", () => {
  const model = modelOf({
    input: { kind: "tokens", length: 2, vocabulary: 3 }, target: { kind: "classes", shape: [2], classCount: 3 }, loss: { kind: "softmax-cross-entropy" },
    layers: [{ name: "table", kind: "embedding", vocabulary: 3, width: 2 }, { name: "out", kind: "tied-dense", embedding: "table" }],
  });
  const y = outputOf(model, Float32Array.of(1, 2, 3, 4, 5, 6, 0.5, 0, -0.5), { exampleCount: 1, inputs: Int32Array.of(2, 0), targets: Int32Array.of(0, 0) });
  // Token 2 is (5, 6): 5·1 + 6·2 + 0.5, 5·3 + 6·4, 5·5 + 6·6 − 0.5; token 0 is (1, 2).
  expect([...y]).toEqual([17.5, 39, 60.5, 5.5, 11, 16.5]);
});

test("add sums, concat joins along the last axis, flatten and reshape keep the order", () => {
  const model = bareModel([2, 3], [12], { name: "twice", kind: "add", from: ["input", "input"] }, { name: "both", kind: "concat", from: ["input", "twice"] }, { name: "flat", kind: "flatten" });
  const x = gridVector(6, 1);
  const y = outputOf(model, new Float32Array(0), { exampleCount: 1, inputs: x, targets: new Float32Array(12) });
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = x;
  expect([...y]).toEqual([a, b, c, 2 * a, 2 * b, 2 * c, d, e, f, 2 * d, 2 * e, 2 * f]);
});

describe("losses and metrics", () => {
  const engine = jsEngine(idlePorts);
  async function evaluated(document: object, inputs: readonly number[], targets: Float32Array | Int32Array) {
    const count = targets.length;
    const model = modelOf({ layers: [{ name: "same", kind: "flatten" }], ...document });
    const trainer = await engine.compile(model, { maxBatch: 2, numerics: "fast" });
    return trainer.evaluate(new Float32Array(0), { exampleCount: Math.round(count), inputs: Float32Array.from(inputs), targets });
  }

  test("softmax cross-entropy is −ln softmax(x)[class]; accuracy and top-k count a tie against the model", async () => {
    const document = { input: { kind: "features", shape: [3] }, target: { kind: "classes", shape: [], classCount: 3 }, loss: { kind: "softmax-cross-entropy", ignoreIndex: -1 }, metrics: [{ kind: "accuracy" }, { kind: "top-k", k: 2 }] };
    const sums = await evaluated(document, [1, 2, 4, 1, 2, 4, 3, 3, 0, 9, 9, 9], Int32Array.of(2, 1, 0, -1));
    const total = (row: readonly number[]): number => Math.log(sum(row.map(Math.exp)));
    expect(sums.lossSum).toBeCloseTo(2 * total([1, 2, 4]) - 4 - 2 + total([3, 3, 0]) - 3, 6);
    expect(sums).toMatchObject({ exampleCount: 4, predictionCount: 3, correctCount: 1, correctTopKCount: 3, absoluteErrorSum: 0 });
  });

  const numbers = { input: { kind: "features", shape: [1] }, target: { kind: "values", shape: [1] } };

  test("sigmoid cross-entropy is −t·ln σ(x) − (1 − t)·ln(1 − σ(x))", async () => {
    const sums = await evaluated({ ...numbers, loss: { kind: "sigmoid-cross-entropy" }, metrics: [{ kind: "accuracy" }] }, [2, -1, 0.5], Float32Array.of(1, 0, 0));
    expect(sums.lossSum).toBeCloseTo(-Math.log(sigmoid(2)) - Math.log(1 - sigmoid(-1)) - Math.log(1 - sigmoid(0.5)), 6);
    expect(sums).toMatchObject({ predictionCount: 3, correctCount: 2 });
  });

  test("squared error is (x − t)², and the mean absolute error's sum is Σ|x − t|", async () => {
    const sums = await evaluated({ ...numbers, loss: { kind: "mean-squared-error" }, metrics: [{ kind: "mean-absolute-error" }] }, [1, -2], Float32Array.of(0.5, 1));
    // 0.5² + 3² and 0.5 + 3
    expect(sums).toMatchObject({ lossSum: 9.25, absoluteErrorSum: 3.5 });
  });

  test("Huber is e²/2 up to δ and δ·(|e| − δ/2) beyond", async () => {
    const sums = await evaluated({ ...numbers, loss: { kind: "huber", delta: 1 } }, [1, -2], Float32Array.of(0.5, 1));
    // 0.5²/2 and 1·(3 − 0.5)
    expect(sums.lossSum).toBeCloseTo(0.125 + 2.5, 12);
  });
});
