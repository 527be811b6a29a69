import type { SeededRandom } from "@tutti/base";
import type { ParameterTensor } from "../layout.ts";
import type { Shape } from "../model.ts";
import type { Workspace } from "../workspace.ts";

/** One layer's output for a whole batch, and the loss's gradient there. */
export type Tensor = {
  readonly shape: Shape;
  /** Numbers of one example. */
  readonly exampleSize: number;
  /** Offset of [batch, ...shape]. */
  readonly value: number;
  /** Offset of the gradient, of the same shape; null where nobody asks for it. */
  readonly gradient: number | null;
};

/** Where gradients of parameters go: memory[base + parameter offset] += scale · gradient. */
export type GradientSink = {
  readonly base: number;
  readonly scale: number;
  /** The sink is the parameters themselves: a plain SGD step is taken while the gradient is computed. */
  readonly isFused: boolean;
};

/** One pass over one batch. */
export type Pass = {
  readonly workspace: Workspace;
  readonly batch: number;
  /** Offset of the scratch area, shared by all layers one after another. */
  readonly scratch: number;
  /** Dropout draws from it; null switches dropout off. */
  readonly random: SeededRandom | null;
  readonly sink: GradientSink;
  /** Layers whose parameters keep their values. */
  readonly frozen: ReadonlySet<string>;
};

/** One layer made ready: offsets are fixed, numbers are not yet there. */
export interface LayerProgram {
  forward(pass: Pass): void;
  /** Writes (does not add) the input's gradients, and adds the parameters' gradients to the sink. */
  backward(pass: Pass): void;
}

/** What a layer is built from. Every function only counts: memory is taken after all layers are built. */
export type Site = {
  readonly name: string;
  readonly maxBatch: number;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** The tensor of that name of this layer, or of another one. */
  parameter(tensor: string, layer?: string): ParameterTensor;
  /** `elementCount` numbers that keep their values from forward to backward. */
  keep(elementCount: number): number;
  /** The scratch area has at least `elementCount` numbers. */
  scratch(elementCount: number): void;
};
