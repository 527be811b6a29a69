import { describe, expect, test } from "vitest";
import { AssertionError } from "@tutti/base";
import type { LocalJob } from "../local-job.ts";
import { nodeEngines } from "../node/node-engines.ts";
import { builtKernels } from "../node/built-kernels.ts";
import { NetworkTrainer } from "../network/network-trainer.ts";
import { examplesOf, parametersOf, sandwich } from "../test/models.ts";
import { idlePorts } from "../test/ports.ts";
import { jobOf } from "../../../../test/support/engines/vector-tasks.ts";
import { wasmMemoryBytes, wasmWorkspaces } from "./wasm-workspace.ts";

describe.each(["wasm-simd", "wasm-relaxed"] as const)("%s", (id) => {
  const create = wasmWorkspaces(builtKernels()[id]);

  test("numbers keep their values when the memory grows, and the memory takes what was foretold", () => {
    const workspace = create();
    for (const elementCount of [1, 1000, 16_384, 16_385, 1_000_000]) {
      workspace.reserve(elementCount);
      expect(workspace.numbers.buffer.byteLength).toBe(wasmMemoryBytes(elementCount));
      expect(workspace.numbers.length).toBeGreaterThanOrEqual(elementCount + 4);
      expect(workspace.numbers[0]).toBe(elementCount === 1 ? 0 : 7);
      workspace.numbers[0] = 7;
    }
  });

  test("a kernel sees the numbers at the offsets at which they were set", () => {
    const workspace = create();
    workspace.reserve(10);
    workspace.numbers.set([1, 2, 3, 10, 20, 30]);
    workspace.kernels.axpy(3, 2, 0, 3);
    expect([...workspace.numbers.subarray(3, 6)]).toEqual([12, 24, 36]);
  });

  test("more than 32-bit addresses reach is refused in words", () => {
    // 576 KiB + 2^32 bytes + 64, in whole pages of 64 KiB.
    expect(() => create().reserve(2 ** 30)).toThrow("the machine refuses 4295622656 bytes of WebAssembly memory");
  });

  test("a released workspace holds nothing and is not used again", () => {
    const workspace = create();
    workspace.reserve(1000);
    workspace.release();
    expect(workspace.numbers.length).toBe(0);
    expect(() => workspace.kernels.fill(1, 0, 0)).toThrow(AssertionError);
    expect(() => workspace.reserve(1)).toThrow(AssertionError);
  });
});

test("a trainer takes the bytes that check foretold: for plain SGD, and with an optimizer's state", async () => {
  const model = sandwich([300], { name: "wide", kind: "dense", units: 400 });
  const check = nodeEngines(idlePorts)[0].check(model);
  const bytesOf = (batchSize: number, job?: LocalJob): number => (check.ok ? check.bytes(batchSize, job) : Number.NaN);
  const workspace = wasmWorkspaces(builtKernels()["wasm-simd"])();
  const trainer = new NetworkTrainer({ model, maxBatch: 8, workspace, ports: idlePorts });
  expect(workspace.numbers.buffer.byteLength).toBe(bytesOf(8));
  const plain = jobOf({ batch: 8, lr: 0.1 }, parametersOf(model, 1));
  const adam = { ...plain, optimizer: { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }, correction: plain.start } as const;
  for (const job of [plain, { ...plain, proximalTerm: 1 }, { ...plain, clip: { per: "example", norm: 1 } } as const, adam]) {
    await trainer.train(job, examplesOf(model, 8, 1));
    expect(workspace.numbers.buffer.byteLength).toBe(bytesOf(8, job));
  }
  // 212 103 parameters: Adam needs gradient, two moments and the correction beside them.
  expect(bytesOf(8, adam) - bytesOf(8)).toBeGreaterThan(4 * 4 * 212_103);
});
