// What the wasm engine's kernels are: one export per function of src/kernels.ts.
import { NUMBERS } from "./vectors";

export { gemmNN, gemmNT, gemmPacked, gemmTN, packWeights } from "./matrix";
export { activate, activateBackward, addColumnSums, axpy, copy, copyRows, fill, fillRows, multiply, scale, sumOfSquares } from "./elements";
export { addColumnProducts, gatherRows, multiplyRows, scaleShiftRows, scatterAddRows, softmaxRows, softmaxRowsBackward } from "./rows";
export { averagePool, averagePoolBackward, depthwise, depthwiseInput, depthwiseKernel, foldAdd, maxPool, maxPoolBackward, unfold } from "./windows";
export { gatherTiles, scatterTiles } from "./tiles";
export { normalize, normalizeBackward } from "./norms";
export { gruCell, gruCellBackward, lstmCell, lstmCellBackward } from "./recurrent";
export { huber, sigmoidCrossEntropy, softmaxCrossEntropy, squaredError } from "./losses";
export { adagradStep, adamStep, momentumStep } from "./updates";

/** First byte of the numbers. */
export function numbersStart(): i32 {
  return <i32>NUMBERS;
}

/** Grows the memory to hold `elementCount` numbers, and a vector load past their end; false where the machine refuses. */
export function reserve(elementCount: i32): bool {
  const wanted = (NUMBERS + (<usize>elementCount << 2) + 64 + 0xffff) >> 16;
  const pages = <i32>wanted - memory.size();
  return pages <= 0 || memory.grow(pages) >= 0;
}
