import type { KernelBytes } from "@tutti/engine";
import { kernelBytesMax } from "./limits.ts";

/** Where the two builds of the engine's kernels lie. */
export type KernelUrls = Readonly<Record<keyof KernelBytes, string>>;

/** What `@tutti/engine` ships, as a bundler serves it: it knows this form and makes each file an asset. */
export const shippedKernels: KernelUrls = {
  "wasm-simd": new URL("@tutti/engine/kernels-simd.wasm", import.meta.url).href,
  "wasm-relaxed": new URL("@tutti/engine/kernels-relaxed.wasm", import.meta.url).href,
};

/** The kernels' bytes; null in a browser without WebAssembly. Rejects where a file is not what it should be. */
export async function fetchKernels(urls: KernelUrls): Promise<KernelBytes | null> {
  if (typeof WebAssembly === "undefined") return null;
  const [simd, relaxed] = await Promise.all([kernelFile(urls["wasm-simd"]), kernelFile(urls["wasm-relaxed"])]);
  return { "wasm-simd": simd, "wasm-relaxed": relaxed };
}

/** First four bytes of every WebAssembly module (core specification, 5.5.16), little-endian. */
const wasmMagic = 0x6d736100;

async function kernelFile(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  const bytes = response.ok ? await response.arrayBuffer() : new ArrayBuffer(0);
  // A server that answers every address with its start page would otherwise mean slow training, for ever and unseen.
  const isWasm = bytes.byteLength > 4 && bytes.byteLength <= kernelBytesMax && new DataView(bytes).getUint32(0, true) === wasmMagic;
  if (!isWasm) throw new Error(`no WebAssembly kernels at ${url} (status ${response.status}): let the bundler serve them, or give kernelUrls`);
  return new Uint8Array(bytes);
}
