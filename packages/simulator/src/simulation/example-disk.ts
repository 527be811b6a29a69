import { concatBytes, type Bytes } from "@tutti/base";
import type { DeviceStore, StoreWrite } from "@tutti/device";
import type { BatchSource } from "@tutti/engine";

/** Where the SDK keeps the bytes of examples (device: example-store.ts). */
const examplePrefix = "examples/";

/**
 * `store`, for a device whose examples lie in a data set already: their bytes are made again whenever they
 * are read instead of being kept twice. An idle device then costs its records and no example.
 */
export function withExamplesOf(examples: () => BatchSource, store: DeviceStore): DeviceStore {
  const isExample = (write: StoreWrite): boolean => write.kind === "put-bytes" && write.key.startsWith(examplePrefix);
  return {
    ...store,
    bytes: (key) => (key.startsWith(examplePrefix) ? Promise.resolve(bytesOf(examples())) : store.bytes(key)),
    write: (writes) => store.write(writes.filter((write) => !isExample(write))),
  };
}

/** As the SDK lays a batch out: inputs, then targets, in this machine's byte order; no copy where they lie so already. */
function bytesOf({ inputs, targets }: BatchSource): Bytes {
  const { buffer, byteOffset, byteLength } = inputs;
  const isWhole = buffer === targets.buffer && targets.byteOffset === byteOffset + byteLength;
  if (isWhole && buffer instanceof ArrayBuffer) return new Uint8Array(buffer, byteOffset, byteLength + targets.byteLength);
  const [first, second] = [inputs, targets].map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return concatBytes(first ?? new Uint8Array(), second ?? new Uint8Array());
}
