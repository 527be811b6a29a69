export { clipByL2Norm, type ClippedDelta } from "./stages/clip.ts";
export { disclose, type DisclosedVector, type ProtectedReport } from "./stages/disclose.ts";
export { reportWeightOf } from "./stages/weight.ts";
