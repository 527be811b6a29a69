import { ok, type Result } from "@tutti/base";
import { decoded, fault, Fields, type DocumentFault } from "./fields.ts";
import { batchSizeMax, epochCountMax, layerCountMax, layerNameCharactersMax, stepCountMax, trainingMsMax } from "./limits.ts";

/**
 * One update rule w ← w − step(g). `weightDecay` λ adds λ·w to g (in `adamw` it is decoupled:
 * w ← w − lr·λ·w). Adam: Kingma and Ba 2015 with bias correction; AdamW: Loshchilov and Hutter
 * 2019; Adagrad: Duchi et al. 2011, w ← w − lr·g/(√Σg² + ε).
 */
export type LocalOptimizer =
  | { readonly kind: "sgd"; readonly learningRate: number; readonly momentum: number; readonly weightDecay: number }
  | { readonly kind: "adam" | "adamw"; readonly learningRate: number; readonly beta1: number; readonly beta2: number; readonly epsilon: number; readonly weightDecay: number }
  | { readonly kind: "adagrad"; readonly learningRate: number; readonly epsilon: number; readonly weightDecay: number };

/** Scales a gradient to at most `norm` (L2, over all trained layers): the batch's, or each example's before the mean. */
export type GradientClip = { readonly per: "batch" | "example"; readonly norm: number };

/** The part of a local job that is data: it comes with the plan. Training stops at the first limit. */
export type LocalTraining = {
  readonly batchSize: number;
  readonly epochCount: number;
  /** A fresh permutation for each epoch, or the examples as they come. */
  readonly exampleOrder: "shuffled" | "as-given";
  /** null where there is no such limit. */
  readonly stepCountLimit: number | null;
  readonly timeLimitMs: number | null;
  readonly optimizer: LocalOptimizer;
  /** μ of FedProx (Li et al. 2020): adds μ·(w − start) to the gradient; 0 for none. */
  readonly proximalTerm: number;
  readonly clip: GradientClip | null;
  /** Layers that keep their start values. Neither they nor `personal` ones are in the delta. */
  readonly frozen: readonly string[];
  /** Layers that are trained and stay on the device (FedPer). */
  readonly personal: readonly string[];
};

export type LocalJob = LocalTraining & {
  /** [parameterCount] float32: where training starts; personal layers already hold the device's values. */
  readonly start: Float32Array;
  /** Seeds the order of examples in each epoch and the dropout; a safe integer, at least 0. */
  readonly shuffleSeed: number;
  /** [parameterCount] float32 added to every gradient (SCAFFOLD's c − c_k). */
  readonly correction: Float32Array | null;
};

/** The data part of a local job from untrusted JSON; the fault names the path. */
export function decodeLocalTraining(value: unknown): Result<LocalTraining, DocumentFault> {
  return decoded(() => {
    const fields = new Fields(value, "");
    const training: LocalTraining = {
      batchSize: fields.integer("batchSize", { min: 1, max: batchSizeMax }),
      epochCount: fields.integer("epochCount", { min: 1, max: epochCountMax, absent: 1 }),
      exampleOrder: fields.choice("exampleOrder", ["shuffled", "as-given"], "shuffled"),
      stepCountLimit: given(fields, "stepCountLimit") ? fields.integer("stepCountLimit", { min: 1, max: stepCountMax }) : null,
      timeLimitMs: given(fields, "timeLimitMs") ? fields.number("timeLimitMs", { above: 0, max: trainingMsMax }) : null,
      optimizer: decodeOptimizer(fields.raw("optimizer")),
      proximalTerm: fields.number("proximalTerm", { min: 0, max: 1e6, absent: 0 }),
      clip: given(fields, "clip") ? decodeClip(fields.raw("clip")) : null,
      frozen: decodeNames(fields, "frozen"),
      personal: decodeNames(fields, "personal"),
    };
    fields.end();
    return ok(training);
  });
}

/** Present and not null; null is asked for too, so that it counts as known. */
function given(fields: Fields, name: string): boolean {
  return fields.has(name) && fields.raw(name) !== null;
}

function decodeOptimizer(value: unknown): LocalOptimizer {
  const fields = new Fields(value, "/optimizer");
  const kind = fields.choice("kind", ["sgd", "adam", "adamw", "adagrad"]);
  const learningRate = fields.number("learningRate", { min: 0, max: 1e6 });
  const weightDecay = fields.number("weightDecay", { min: 0, max: 1e6, absent: 0 });
  const optimizer = optimizerOf(kind, { learningRate, weightDecay }, fields);
  fields.end();
  return optimizer;
}

function optimizerOf(kind: LocalOptimizer["kind"], rates: { readonly learningRate: number; readonly weightDecay: number }, fields: Fields): LocalOptimizer {
  const fraction = { min: 0, max: 1 - 2 ** -24 };
  if (kind === "sgd") return { kind, ...rates, momentum: fields.number("momentum", { ...fraction, absent: 0 }) };
  const epsilon = fields.number("epsilon", { above: 0, max: 1, absent: 1e-8 });
  if (kind === "adagrad") return { kind, ...rates, epsilon };
  return { kind, ...rates, epsilon, beta1: fields.number("beta1", { ...fraction, absent: 0.9 }), beta2: fields.number("beta2", { ...fraction, absent: 0.999 }) };
}

function decodeClip(value: unknown): GradientClip {
  const fields = new Fields(value, "/clip");
  const clip: GradientClip = { per: fields.choice("per", ["batch", "example"]), norm: fields.number("norm", { above: 0, max: 1e12 }) };
  fields.end();
  return clip;
}

function decodeNames(fields: Fields, name: string): readonly string[] {
  if (!fields.has(name)) return [];
  return fields.list(name, layerCountMax).map((item, i) =>
    typeof item === "string" && item.length <= layerNameCharactersMax ? item : fault(`${fields.at(name)}/${i}`, "a layer's name"));
}
