/**
 * The machine's ceiling for 128-bit arithmetic: a WebAssembly loop of fused multiply-adds on registers
 * alone, twelve sums that do not wait for each other, as in the engine's largest tile.
 */

const chainCount = 12;
const flopsPerTurn = chainCount * 4 * 2;
const turns = 8_000_000;

/** Node's types do not name it. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Module: new (bytes: Uint8Array) => object; readonly Instance: new (module: object) => { readonly exports: { readonly loop: (turns: number) => number } } };
};

/** Measures billions of float32 operations per second of this thread's CPU time; the loop is already compiled in full. */
export function fmaPeak(): () => number {
  const { loop } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes())).exports;
  // Calls, not turns, bring in the optimizing compiler, which works on the side.
  for (let call = 0; call < 200; call++) loop(10_000);
  return () => {
    const beforeUs = threadCpuUs();
    loop(turns);
    return (turns * flopsPerTurn) / (threadCpuUs() - beforeUs) / 1000;
  };
}

function threadCpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

const f32 = 0x7d, i32 = 0x7f, v128 = 0x7b, empty = 0x40;
const localGet = 0x20, localSet = 0x21, localTee = 0x22, i32Const = 0x41, i32Sub = 0x6b, f32Add = 0x92, block = 0x03, branchIf = 0x0d, end = 0x0b;
const simd = (...code: number[]): number[] => [0xfd, ...code];
const splat = simd(0x13), extractLane0 = simd(0x1f, 0), relaxedMadd = simd(0x85, 0x02);

/** loop (turns: i32) → f32, the sum of one lane of each chain, so that nothing is dead. Local 0 counts; 1 is the factor, just below one; from 2 on are the sums. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const sums = Array.from({ length: chainCount }, (_, i) => i + 2);
  const body = [
    1, chainCount + 1, v128,
    0x43, ...new Uint8Array(Float32Array.of(0.9999).buffer), ...splat, localSet, 1,
    block, empty,
    ...sums.flatMap((sum) => [localGet, sum, localGet, 1, localGet, 1, ...relaxedMadd, localSet, sum]),
    localGet, 0, i32Const, 1, i32Sub, localTee, 0, branchIf, 0,
    end,
    ...sums.flatMap((sum, i) => [localGet, sum, ...extractLane0, ...(i === 0 ? [] : [f32Add])]),
    end,
  ];
  const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 1, i32, 1, f32]),
    ...section(3, [1, 0]),
    ...section(7, [1, 4, ...Buffer.from("loop"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

/** An unsigned integer in WebAssembly's variable-length form. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)];
}
