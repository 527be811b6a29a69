import { allFinite, err, ok, type Bytes, type Result } from "@tutti/base";
import type { ParameterLayout } from "@tutti/engine";
import { bytesFromFloat32, decodeSafetensors, encodeSafetensors, float32FromBytes, type SafetensorsFault } from "@tutti/protocol";

/**
 * A model's parameters as a safetensors file: one F32 tensor per parameter tensor of the layout, in
 * its order, so that the data section is the flat vector itself.
 * @param parameters [parameterCount] float32. @param facts `__metadata__` of the file.
 */
export function encodeModelFile(parameters: Float32Array, layout: ParameterLayout, facts: Readonly<Record<string, string>>): Bytes {
  const tensors = layout.tensors.map(({ name, shape, offset, elementCount }) => ({
    name,
    type: "F32" as const,
    shape,
    bytes: bytesFromFloat32(parameters.subarray(offset, offset + elementCount)),
  }));
  return encodeSafetensors(tensors, facts);
}

/**
 * The flat vector of a model file from anywhere: exactly the layout's tensors, with its shapes, and
 * finite numbers only. @returns [parameterCount] float32.
 */
export function decodeModelFile(file: Uint8Array, layout: ParameterLayout): Result<Float32Array<ArrayBuffer>, SafetensorsFault> {
  const decoded = decodeSafetensors(file);
  if (!decoded.ok) return decoded;
  const given = new Map(decoded.value.tensors.map((tensor) => [tensor.name, tensor]));
  if (given.size !== layout.tensors.length) return fault("/", `${layout.tensors.length} tensors, as the model has`);
  const parameters = new Float32Array(layout.parameterCount);
  for (const { name, shape, offset } of layout.tensors) {
    const tensor = given.get(name);
    if (tensor === undefined) return fault(`/${name}`, "a tensor of this name");
    if (tensor.type !== "F32" || tensor.shape.join() !== shape.join()) return fault(`/${name}`, `F32 of shape [${shape.join(", ")}]`);
    parameters.set(float32FromBytes(tensor.bytes), offset);
  }
  return allFinite(parameters) ? ok(parameters) : fault("/", "finite numbers");
}

function fault(path: string, expected: string): { readonly ok: false; readonly error: SafetensorsFault } {
  return err({ code: "malformed", path, expected });
}
