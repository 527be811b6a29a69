import { assert } from "@tutti/base";

/** How the sum of a round becomes the next model; the JSON of a task names it. */
export type ServerOptimizerConfig = { readonly kind: "fedavg"; readonly learningRate: number };

/** What a round gathered. */
export type WeightedSum = {
  /** Σ w·Δ, float64 [parameters], Δ = trained − downloaded. */
  readonly vector: Float64Array;
  /** Σ w, above 0. */
  readonly weight: number;
};

/** A server optimizer is a record of pure functions; `State` is what it remembers from round to round. */
export type ServerOptimizer<State> = {
  readonly init: (parameterCount: number) => State;
  /** @param parameters [parameters] float32, not written. */
  readonly update: (state: State, parameters: Float32Array, sum: WeightedSum) => { readonly state: State; readonly parameters: Float32Array<ArrayBuffer> };
};

/** The optimizer that a task names: only FedAvg so far, which remembers nothing. */
export function serverOptimizer({ learningRate }: ServerOptimizerConfig): ServerOptimizer<null> {
  return fedAvg(learningRate);
}

/**
 * Federated averaging (McMahan et al. 2017): w ← w + η · Σ w_k·Δ_k / Σ w_k, in float64, rounded once to
 * float32. η = 1 is the mean of the trained models. Same sum, same bits, on every machine.
 */
function fedAvg(learningRate: number): ServerOptimizer<null> {
  return {
    init: () => null,
    update: (state, parameters, { vector, weight }) => {
      assert(vector.length === parameters.length, "a sum has the length of its model");
      assert(Number.isFinite(weight) && weight > 0, "a mean has a weight above 0");
      const next = new Float32Array(parameters.length);
      for (let i = 0; i < next.length; i++) next[i] = (parameters[i] ?? 0) + (learningRate * (vector[i] ?? 0)) / weight;
      return { state, parameters: next };
    },
  };
}
