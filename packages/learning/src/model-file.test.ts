import { initialParameters, layoutOf } from "@tutti/engine";
import { bytesFromFloat32, decodeSafetensors, encodeSafetensors } from "@tutti/protocol";
import { expect, test } from "vitest";
import { decodeModelFile, encodeModelFile } from "./model-file.ts";
import { softmaxModel } from "./test/softmax-people.ts";

const layout = layoutOf(softmaxModel);
const parameters = initialParameters(softmaxModel, 3);
const file = encodeModelFile(parameters, layout, { task: "t" });
const tensor = (name: string, shape: readonly number[], values: number) => ({ name, type: "F32" as const, shape, bytes: bytesFromFloat32(new Float32Array(values)) });

test("a model's parameters come back from its file bit for bit, with its facts", () => {
  expect(decodeModelFile(file, layout)).toEqual({ ok: true, value: parameters });
  expect(decodeSafetensors(file)).toMatchObject({ value: { metadata: { task: "t" } } });
});

test.each([
  ["a tensor too few", [tensor("out/kernel", [3, 4], 12)], "/"],
  ["a tensor of another name", [tensor("out/kernel", [3, 4], 12), tensor("out/shift", [4], 4)], "/out/bias"],
  ["a transposed tensor", [tensor("out/kernel", [4, 3], 12), tensor("out/bias", [4], 4)], "/out/kernel"],
  ["integers", [{ ...tensor("out/kernel", [3, 4], 12), type: "U32" as const }, tensor("out/bias", [4], 4)], "/out/kernel"],
])("a file with %s is refused at %3$s", (_, tensors, path) => {
  expect(decodeModelFile(encodeSafetensors(tensors, {}), layout)).toMatchObject({ ok: false, error: { code: "malformed", path } });
});

test("a file with NaN is refused", () => {
  const broken = Float32Array.from(parameters).fill(Number.NaN, 5, 6);
  expect(decodeModelFile(encodeModelFile(broken, layout, {}), layout)).toMatchObject({ ok: false, error: { expected: "finite numbers" } });
});

test("a truncated file is refused", () => {
  expect(decodeModelFile(file.subarray(0, -1), layout).ok).toBe(false);
});
