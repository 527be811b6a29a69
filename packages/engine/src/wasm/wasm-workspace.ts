import { assert } from "@tutti/base";
import { jsWorkspace } from "../js/js-workspace.ts";
import type { Kernels } from "../kernels.ts";
import type { Workspace } from "../workspace.ts";

/** What assembly/kernels.ts exports: the kernels, their memory, and where its numbers begin. */
type KernelExports = Kernels & {
  readonly memory: WebAssembly.Memory;
  /** First byte of the numbers; below lie the packed panels of matrix products. */
  numbersStart(): number;
  /** Grows the memory to hold so many numbers; 0 where the machine refuses. */
  reserve(elementCount: number): number;
};

/** `numbersStart()` of assembly/vectors.ts, and what `reserve` leaves behind the numbers. */
const bytesBefore = 576 * 1024;
const bytesBehind = 64;
const pageBytes = 65_536;
/** Bytes that 32-bit addresses reach. */
const addressedBytesMax = 2 ** 32;

/** Bytes of the WebAssembly memory that holds `elementCount` numbers. */
export function wasmMemoryBytes(elementCount: number): number {
  return Math.ceil((bytesBefore + 4 * elementCount + bytesBehind) / pageBytes) * pageBytes;
}

/** Compiles a build of the kernels; each workspace is an instance of it. @throws where WebAssembly is missing or forbidden. */
export function wasmWorkspaces(bytes: Uint8Array<ArrayBuffer>): () => Workspace {
  const module = new WebAssembly.Module(bytes);
  return () => wasmWorkspace(module);
}

/**
 * One WebAssembly instance with a memory of its own. A released one is dropped, not kept for the next:
 * a WebAssembly memory never shrinks, so only that gives it back.
 */
function wasmWorkspace(module: WebAssembly.Module): Workspace {
  let exported: KernelExports | null = kernelExports(new WebAssembly.Instance(module));
  let numbers = new Float32Array(0);
  const used = (): KernelExports => {
    assert(exported !== null, "a released workspace is not used");
    return exported;
  };
  return {
    get numbers() {
      return numbers;
    },
    get kernels() {
      return used();
    },
    reserve(elementCount) {
      const kernels = used();
      const bytes = wasmMemoryBytes(elementCount);
      if (bytes > addressedBytesMax || kernels.reserve(elementCount) === 0) throw new Error(`the machine refuses ${bytes} bytes of WebAssembly memory`);
      numbers = new Float32Array(kernels.memory.buffer, kernels.numbersStart());
    },
    release() {
      exported = null;
      numbers = new Float32Array(0);
    },
  };
}

/** Asserts that every kernel of the js reference is there: the files are ours, and may be older than this source. */
function kernelExports({ exports }: WebAssembly.Instance): KernelExports {
  const names = ["numbersStart", "reserve", ...Object.keys(jsWorkspace().kernels)];
  const missing = names.filter((name) => typeof exports[name] !== "function");
  assert(missing.length === 0 && exports["memory"] instanceof WebAssembly.Memory, `the built kernels export ${missing.join(", ")}`);
  return exports as KernelExports;
}
