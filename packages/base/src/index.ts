export * from "./assert.ts";
export type * from "./brand.ts";
export * from "./bytes.ts";
export * from "./finite.ts";
export * from "./random.ts";
export * from "./result.ts";
export * from "./time.ts";
