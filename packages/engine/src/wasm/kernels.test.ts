import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsWorkspace } from "../js/js-workspace.ts";
import { activationKinds, type Kernels, type Window } from "../kernels.ts";
import { builtKernels } from "../node/built-kernels.ts";
import { windowOf } from "../layers/window.ts";
import { gridVector } from "../test/models.ts";
import { wasmWorkspaces } from "./wasm-workspace.ts";

const start = gridVector(40_000, 1);
/** Behind each tensor, so that a write past its end hits a number that the comparison sees. */
const gap = 8;

/** Hands out offsets one after another, from another beginning for each seed. */
type Placer = { (elementCount: number): number; end(): number };

function placer(seed: number): Placer {
  let end = gap + (seed % 97);
  const place = (elementCount: number): number => {
    const at = end;
    end += elementCount + gap;
    return at;
  };
  return Object.assign(place, { end: () => end });
}

const bytes = builtKernels();

describe.each(["wasm-simd", "wasm-relaxed"] as const)("%s", (id) => {
  const [built, reference] = [wasmWorkspaces(bytes[id])(), jsWorkspace()];
  built.reserve(start.length);
  reference.reserve(start.length);

  /** Runs one call on both memories, from equal numbers, and compares the whole memories and what was returned. */
  function compare(place: Placer, call: (kernels: Kernels) => unknown, prepare: (numbers: Float32Array) => void = () => {}, errorMax = 1e-5): void {
    const count = place.end() + gap;
    const numbers = start.slice(0, count);
    prepare(numbers);
    built.numbers.set(numbers);
    reference.numbers.set(numbers);
    const [measured, expected] = [call(built.kernels), call(reference.kernels)];
    if (typeof expected === "number" && !(Math.abs(Number(measured) - expected) <= 2e-6 * Math.abs(expected) + 1e-6)) throw new Error(`returned ${String(measured)} instead of ${expected}`);
    for (let i = 0; i < count; i++) {
      const [a, b] = [built.numbers[i] ?? 0, reference.numbers[i] ?? 0];
      if (!(Math.abs(a - b) <= errorMax * Math.max(1, Math.abs(b)))) throw new Error(`number ${i}: ${a} instead of ${b}`);
    }
  }

  /** What fast-check found against a property; undefined where it found nothing. */
  function counterexample<T>(property: fc.IProperty<T>, numRuns = 60): string | undefined {
    const found = fc.check(property, { numRuns });
    return found.failed ? fc.defaultReportMessage(found) : undefined;
  }

  const seeds = fc.nat();
  const extent = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

  test.each(["gemmNN", "gemmNT", "gemmTN"] as const)("%s is the reference's on ragged shapes, k above one block among them", (form) => {
    const shape = fc.oneof(
      fc.record({ m: extent(40), n: extent(40), k: extent(40) }),
      fc.record({ m: fc.constantFrom(1, 5, 10), n: extent(9), k: fc.integer({ min: 380, max: 800 }) }),
      fc.record({ m: extent(3), n: fc.integer({ min: 250, max: 530 }), k: extent(9) }),
      fc.record({ m: fc.integer({ min: 90, max: 200 }), n: extent(9), k: extent(20) }),
    );
    expect(counterexample(fc.property(shape, fc.constantFrom(0, 1), fc.constantFrom(1, -0.05), fc.nat({ max: 5 }), seeds, ({ m, n, k }, beta, alpha, spare, seed) => {
      const place = placer(seed);
      const [aRows, aColumns] = form === "gemmTN" ? [k, m] : [m, k];
      const [bRows, bColumns] = form === "gemmNT" ? [n, k] : [k, n];
      const [lda, ldb, ldc] = [aColumns + spare, bColumns + spare, n + spare];
      const [a, b, c] = [place(aRows * lda), place(bRows * ldb), place(m * ldc)];
      // k terms below 1, each rounded into a sum that seldom exceeds 2 (in float32, 2^-24 of it).
      compare(place, (kernels) => kernels[form](m, n, k, alpha, a, lda, b, ldb, beta, c, ldc), () => {}, 1e-5 + k * 2 ** -23);
    }), 150)).toBeUndefined();
  });

  test("gemmNN packs B where its rows alias the cache's sets: n = 512", () => {
    const place = placer(1);
    const [a, b, c] = [place(8 * 70), place(70 * 512), place(8 * 16)];
    expect(() => compare(place, (kernels) => kernels.gemmNN(8, 13, 70, 1, a, 70, b, 512, 0, c, 16))).not.toThrow();
  });

  test("elementwise kernels are the reference's on any count", () => {
    expect(counterexample(fc.property(extent(70), extent(9), seeds, (count, rows, seed) => {
      const place = placer(seed);
      const [x, y, z, w] = [place(count * rows), place(count * rows + 5), place(count * rows), place(count * rows)];
      compare(place, (kernels) => kernels.fill(count, 0.5, x));
      compare(place, (kernels) => kernels.copy(count, x, y));
      compare(place, (kernels) => kernels.axpy(count, -0.3, x, y));
      compare(place, (kernels) => kernels.multiply(count, x, z, y));
      compare(place, (kernels) => kernels.scale(count, 0.7, x));
      compare(place, (kernels) => kernels.sumOfSquares(count, x));
      compare(place, (kernels) => kernels.fillRows(rows, count, x, y));
      compare(place, (kernels) => kernels.addColumnSums(rows, count, 0.1, x, w));
      compare(place, (kernels) => kernels.copyRows(rows, Math.ceil(count / 2), x, count, y, count));
    }), 25)).toBeUndefined();
  });

  test("activations and their slopes are the reference's, at 30 and −30 too", () => {
    expect(counterexample(fc.property(fc.nat({ max: activationKinds.length - 1 }), extent(30), seeds, (kind, count, seed) => {
      const place = placer(seed);
      const [x, y, dy, dx] = [place(count), place(count), place(count), place(count)];
      const spread = (numbers: Float32Array): void => {
        for (let i = x; i < x + count; i++) numbers[i] = 30 * (numbers[i] ?? 0);
      };
      compare(place, (kernels) => kernels.activate(kind, count, x, y), spread);
      compare(place, (kernels) => {
        kernels.activate(kind, count, x, y);
        kernels.activateBackward(kind, count, x, y, dy, dx);
      }, spread);
    }))).toBeUndefined();
  });

  const windows = fc.record({
    height: extent(9), width: extent(9), channels: extent(9), window: fc.tuple(extent(4), extent(4)), stride: fc.tuple(extent(3), extent(3)), padding: fc.constantFrom("same" as const, "valid" as const),
  }).filter(({ height, width, window, padding }) => padding === "same" || (window[0] <= height && window[1] <= width));

  test("windows unfold, fold and pool as the reference's, padding and strides included", () => {
    expect(counterexample(fc.property(windows, seeds, ({ height, width, channels, ...sliding }, seed) => {
      const window: Window = windowOf(sliding, [height, width, channels]);
      const outputs = window[9] * window[10];
      const place = placer(seed);
      const [x, dx, y, dy] = [place(height * width * channels), place(height * width * channels), place(outputs * channels), place(outputs * channels)];
      const columns = place(outputs * window[3] * window[4] * channels);
      compare(place, (kernels) => kernels.unfold(x, columns, ...window));
      compare(place, (kernels) => kernels.foldAdd(columns, dx, ...window));
      compare(place, (kernels) => {
        kernels.maxPool(x, y, ...window);
        kernels.maxPoolBackward(x, y, dy, dx, ...window);
      });
      compare(place, (kernels) => kernels.averagePool(x, y, ...window));
      compare(place, (kernels) => kernels.averagePoolBackward(dy, dx, ...window));
    }))).toBeUndefined();
  });

  test("the gradient of a max pool goes to the first of equal numbers, as the reference has it", () => {
    expect(counterexample(fc.property(windows, seeds, ({ height, width, channels, ...sliding }, seed) => {
      const window: Window = windowOf(sliding, [height, width, channels]);
      const place = placer(seed);
      const [x, dx] = [place(height * width * channels), place(height * width * channels)];
      const [y, dy] = [place(window[9] * window[10] * channels), place(window[9] * window[10] * channels)];
      // Three levels only: ties in nearly every window.
      const coarse = (numbers: Float32Array): void => numbers.set(numbers.subarray(x, dx).map((value) => Math.round(value)), x);
      compare(place, (kernels) => {
        kernels.maxPool(x, y, ...window);
        kernels.maxPoolBackward(x, y, dy, dx, ...window);
      }, coarse);
    }))).toBeUndefined();
  });

  test("losses and their counts are the reference's, in place and apart", () => {
    expect(counterexample(fc.property(extent(6), extent(23), fc.boolean(), fc.nat({ max: 4 }), seeds, (rows, n, isInPlace, topK, seed) => {
      const place = placer(seed);
      const [x, targets, apart, stats] = [place(rows * n), place(rows * n), place(rows * n), place(3)];
      const dx = isInPlace ? x : apart;
      const ids = (numbers: Float32Array): void => {
        for (let r = 0; r < rows; r++) numbers[targets + r] = (seed + r * 7) % n;
      };
      compare(place, (kernels) => kernels.softmaxCrossEntropy(rows, n, x, targets, 1, topK, 0.25, dx, stats), ids);
      compare(place, (kernels) => kernels.sigmoidCrossEntropy(rows * n, x, targets, 0.25, dx, stats));
      compare(place, (kernels) => kernels.squaredError(rows * n, x, targets, 0.25, dx, stats));
      compare(place, (kernels) => kernels.huber(rows * n, 0.5, x, targets, 0.25, dx, stats));
    }), 30)).toBeUndefined();
  });

  test("packed weights give the reference's product, and lie as the reference lays them", () => {
    const shape = fc.oneof(fc.record({ m: extent(20), n: extent(30), k: extent(30) }), fc.record({ m: extent(3), n: extent(20), k: fc.integer({ min: 380, max: 800 }) }));
    expect(counterexample(fc.property(shape, fc.constantFrom(0, 1), seeds, ({ m, n, k }, beta, seed) => {
      const place = placer(seed);
      const [a, b, packed, c] = [place(m * k), place(k * n), place(k * 8 * Math.ceil(n / 8)), place(m * n)];
      compare(place, (kernels) => {
        kernels.packWeights(k, n, b, n, packed);
        kernels.gemmPacked(m, n, k, 0.5, a, k, packed, beta, c, n);
      }, () => {}, 1e-5 + k * 2 ** -23);
    }), 40)).toBeUndefined();
  });

  test("row kernels are the reference's, ids that come twice among them", () => {
    expect(counterexample(fc.property(extent(9), extent(23), seeds, (rows, n, seed) => {
      const place = placer(seed);
      const [x, y, z, w, table, ids] = [place(rows * n), place(rows * n), place(rows * n), place(n + 3), place(5 * n), place(rows)];
      const named = (numbers: Float32Array): void => {
        for (let r = 0; r < rows; r++) numbers[ids + r] = (seed + 3 * r) % 5;
      };
      compare(place, (kernels) => kernels.gatherRows(rows, n, table, ids, y), named);
      compare(place, (kernels) => kernels.scatterAddRows(rows, n, -0.1, x, ids, table), named);
      compare(place, (kernels) => kernels.multiplyRows(rows, n, x, w, y));
      compare(place, (kernels) => kernels.scaleShiftRows(rows, n, x, w, z, y));
      compare(place, (kernels) => kernels.addColumnProducts(rows, n, 0.3, x, y, w));
      compare(place, (kernels) => kernels.softmaxRows(rows, n, seed % 2, x));
      compare(place, (kernels) => kernels.softmaxRowsBackward(rows, n, x, y));
    }), 40)).toBeUndefined();
  });

  test("tiles change their basis and come back as the reference's, those that overhang the picture included", () => {
    const shape = fc.record({ height: extent(9), width: extent(9), channels: extent(9), p: fc.integer({ min: 2, max: 6 }), q: fc.integer({ min: 2, max: 6 }), step: extent(4), before: fc.nat({ max: 2 }), high: extent(2), wide: extent(3) });
    expect(counterexample(fc.property(shape, seeds, ({ height, width, channels, p, q, step, before, high, wide }, seed) => {
      const place = placer(seed);
      const [x, matrix, v] = [place(height * width * channels), place(p * q), place(p * p * (high * wide + 1) * channels)];
      const tiling = [p, q, height, width, channels, step, before, high, wide, high * wide + 1] as const;
      compare(place, (kernels) => kernels.gatherTiles(x, v, matrix, ...tiling));
      compare(place, (kernels) => kernels.scatterTiles(v, x, matrix, ...tiling));
    }), 60)).toBeUndefined();
  });

  test("depthwise products are the reference's, padding and strides included", () => {
    expect(counterexample(fc.property(windows, seeds, ({ height, width, channels, ...sliding }, seed) => {
      const window: Window = windowOf(sliding, [height, width, channels]);
      const place = placer(seed);
      const [x, y, w] = [place(height * width * channels), place(window[9] * window[10] * channels), place(window[3] * window[4] * channels)];
      compare(place, (kernels) => kernels.depthwise(x, w, y, ...window));
      compare(place, (kernels) => kernels.depthwiseInput(y, w, x, ...window));
      compare(place, (kernels) => kernels.depthwiseKernel(x, y, w, ...window));
    }))).toBeUndefined();
  });

  test("norms over groups are the reference's, one number in a group among them", () => {
    expect(counterexample(fc.property(extent(3), extent(5), extent(4), extent(6), fc.boolean(), seeds, (examples, positions, groups, width, isInPlace, seed) => {
      const place = placer(seed);
      const channels = groups * width;
      const count = examples * positions * channels;
      const [x, y, inverse, dy, apart] = [place(count), place(count), place(examples * groups), place(count), place(count)];
      compare(place, (kernels) => kernels.normalize(examples, positions, channels, groups, 0.1, x, y, inverse));
      compare(place, (kernels) => kernels.normalizeBackward(examples, positions, channels, groups, y, inverse, dy, isInPlace ? dy : apart));
    }))).toBeUndefined();
  });

  test("recurrent cells are the reference's on any number of units", () => {
    expect(counterexample(fc.property(extent(5), extent(19), seeds, (rows, units, seed) => {
      const place = placer(seed);
      const [a, b] = [place(4 * rows * units), place(4 * rows * units)];
      const [before, c, h, dh, dc] = [place(rows * units), place(rows * units), place(rows * units), place(rows * units), place(rows * units)];
      compare(place, (kernels) => kernels.lstmCell(rows, units, a, before, c, h));
      compare(place, (kernels) => kernels.lstmCellBackward(rows, units, a, before, c, dh, dc));
      compare(place, (kernels) => kernels.gruCell(rows, units, a, b, before, h));
      compare(place, (kernels) => kernels.gruCellBackward(rows, units, a, b, before, dh, dc));
    }))).toBeUndefined();
  });

  test("update rules are the reference's on any count", () => {
    expect(counterexample(fc.property(extent(40), seeds, (count, seed) => {
      const place = placer(seed);
      const [w, g, m, v] = [place(count), place(count), place(count), place(count)];
      const squares = (numbers: Float32Array): void => {
        for (let i = v; i < v + count; i++) numbers[i] = Math.abs(numbers[i] ?? 0) + 0.01;
      };
      compare(place, (kernels) => kernels.momentumStep(count, 0.1, 0.9, w, g, m));
      compare(place, (kernels) => kernels.adamStep(count, 0.1, 0.9, 0.999, 1e-8, w, g, m, v), squares);
      compare(place, (kernels) => kernels.adagradStep(count, 0.1, 1e-8, w, g, v), squares);
    }), 30)).toBeUndefined();
  });

  test("the comparison sees one number that a kernel writes beyond its tensor", () => {
    const place = placer(1);
    const x = place(5);
    let calls = 0;
    expect(() => compare(place, (kernels) => kernels.fill(calls++ === 0 ? 6 : 5, 2, x))).toThrow("number 14: 2 instead of");
  });

  test("a NaN reaches the loss through every activation and through a max pool", () => {
    const { numbers, kernels } = built;
    for (const kind of activationKinds.keys()) {
      numbers.fill(Number.NaN, 8, 9);
      kernels.activate(kind, 1, 8, 16);
      expect(numbers[16]).toBeNaN();
    }
    numbers.set([1, Number.NaN, 2], 8);
    for (const { kernels: either, numbers: memory } of [built, reference]) {
      memory.set([1, Number.NaN, 2], 8);
      either.maxPool(8, 16, ...windowOf({ window: [3], stride: [3], padding: "valid" }, [3, 1]));
      expect(memory[16]).toBeNaN();
    }
  });
});
