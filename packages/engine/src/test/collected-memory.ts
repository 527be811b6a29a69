import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of array buffers and WebAssembly memories that are still reachable: counted after a full collection. */
export function reachableBufferBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // Twice: the first may leave buffers whose owners it has only just found dead.
  collect();
  collect();
  return process.memoryUsage().external;
}
