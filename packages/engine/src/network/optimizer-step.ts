import type { Kernels } from "../kernels.ts";
import type { LocalOptimizer } from "../local-job.ts";
import type { ExtraVector } from "./extra-vectors.ts";

/** Offsets of one run of parameters, of its gradient, and of the optimizer's state beside it. */
export type StepPlace = {
  readonly elementCount: number;
  readonly parameters: number;
  readonly gradient: number;
  vector(name: ExtraVector): number;
};

/** w ← w − step(g) by the optimizer's rule; `stepCount` is 1 at the first step. The gradient is used up. */
export function optimizerStep(kernels: Kernels, optimizer: LocalOptimizer, stepCount: number, place: StepPlace): void {
  const { elementCount, parameters, gradient } = place;
  const { learningRate, weightDecay } = optimizer;
  if (optimizer.kind === "adamw") kernels.scale(elementCount, 1 - learningRate * weightDecay, parameters);
  else if (weightDecay > 0) kernels.axpy(elementCount, weightDecay, parameters, gradient);
  switch (optimizer.kind) {
    case "sgd":
      if (optimizer.momentum > 0) kernels.momentumStep(elementCount, learningRate, optimizer.momentum, parameters, gradient, place.vector("velocity"));
      else kernels.axpy(elementCount, -learningRate, gradient, parameters);
      return;
    case "adagrad":
      kernels.adagradStep(elementCount, learningRate, optimizer.epsilon, parameters, gradient, place.vector("square-sum"));
      return;
    case "adam": case "adamw": {
      // m̂/(√v̂ + ε) = (√c₂/c₁)·m/(√v + ε·√c₂) with c = 1 − βᵗ: the bias correction costs no pass (Kingma and Ba 2015, section 2).
      const first = 1 - optimizer.beta1 ** stepCount;
      const second = Math.sqrt(1 - optimizer.beta2 ** stepCount);
      kernels.adamStep(
        elementCount, (learningRate * second) / first, optimizer.beta1, optimizer.beta2, optimizer.epsilon * second,
        parameters, gradient, place.vector("first-moment"), place.vector("second-moment"),
      );
    }
  }
}
