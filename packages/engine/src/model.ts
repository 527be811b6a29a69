/**
 * A model as data: a topologically ordered list of layers from a closed set. It arrives as JSON and
 * is never code. Shapes leave out the batch; channels come last.
 */
export type Model = {
  readonly input: ModelInput;
  readonly target: ModelTarget;
  readonly layers: readonly Layer[];
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
};

/** What one example holds: numbers of a shape, or a sequence of token ids in 0..vocabulary−1. */
export type ModelInput =
  | { readonly kind: "features"; readonly shape: Shape }
  | { readonly kind: "tokens"; readonly length: number; readonly vocabulary: number };

/** What one example should give: class ids of a shape (`[]` is one id per example), or numbers. */
export type ModelTarget =
  | { readonly kind: "classes"; readonly shape: Shape; readonly classCount: number }
  | { readonly kind: "values"; readonly shape: Shape };

/** Extents of one example's tensor, without the batch. */
export type Shape = readonly number[];

export type Padding = "same" | "valid";
export type ActivationKind = "relu" | "gelu" | "tanh" | "sigmoid" | "silu";

/** `from` names the layers that feed this one, all of them earlier; "input" is the model's input. */
type Named<Kind extends string> = { readonly name: string; readonly kind: Kind; readonly from: readonly string[] };

export type DenseLayer = Named<"dense"> & { readonly units: number; readonly bias: boolean };
export type TiedDenseLayer = Named<"tied-dense"> & { readonly embedding: string; readonly bias: boolean };
export type Conv1dLayer = Named<"conv1d"> & { readonly filters: number; readonly window: number; readonly stride: number; readonly padding: Padding };
export type Conv2dLayer = Named<"conv2d"> & { readonly filters: number; readonly window: Pair; readonly stride: Pair; readonly padding: Padding };
export type DepthwiseConv2dLayer = Named<"depthwise-conv2d"> & { readonly window: Pair; readonly stride: Pair; readonly padding: Padding };
/** Pools [length, channels] by one extent or [height, width, channels] by two; padding is never counted. */
export type PoolLayer = Named<"max-pool" | "average-pool"> & { readonly window: readonly number[]; readonly stride: readonly number[]; readonly padding: Padding };
export type GlobalPoolLayer = Named<"global-max-pool" | "global-average-pool">;
export type EmbeddingLayer = Named<"embedding"> & { readonly vocabulary: number; readonly width: number };
/** `returns`: the hidden state of every position, or of the last one alone. */
export type RecurrentLayer = Named<"lstm" | "gru"> & { readonly units: number; readonly returns: "sequence" | "last" };
export type LayerNormLayer = Named<"layer-norm"> & { readonly epsilon: number };
export type GroupNormLayer = Named<"group-norm"> & { readonly groups: number; readonly epsilon: number };
export type AttentionLayer = Named<"attention"> & { readonly heads: number; readonly causal: boolean };
export type JoinLayer = Named<"add" | "concat">;
export type FlattenLayer = Named<"flatten">;
export type ReshapeLayer = Named<"reshape"> & { readonly shape: Shape };
export type DropoutLayer = Named<"dropout"> & { readonly rate: number };
export type ActivationLayer = Named<ActivationKind>;

export type Pair = readonly [number, number];

export type Layer =
  | DenseLayer | TiedDenseLayer | Conv1dLayer | Conv2dLayer | DepthwiseConv2dLayer | PoolLayer | GlobalPoolLayer
  | EmbeddingLayer | RecurrentLayer | LayerNormLayer | GroupNormLayer | AttentionLayer | JoinLayer
  | FlattenLayer | ReshapeLayer | DropoutLayer | ActivationLayer;

/** The mean over all predictions of a batch; a class id equal to `ignoreIndex` is no prediction. */
export type Loss =
  | { readonly kind: "softmax-cross-entropy"; readonly ignoreIndex: number | null }
  | { readonly kind: "sigmoid-cross-entropy" }
  | { readonly kind: "mean-squared-error" }
  | { readonly kind: "huber"; readonly delta: number };

/** What is counted beside the loss. Accuracy of sigmoid outputs counts each number on its own. */
export type Metric =
  | { readonly kind: "accuracy" }
  | { readonly kind: "top-k"; readonly k: number }
  | { readonly kind: "mean-absolute-error" };
