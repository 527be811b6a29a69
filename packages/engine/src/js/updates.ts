import type { UpdateKernels } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

export function updateKernels(m: Numbers): UpdateKernels {
  return {
    momentumStep(count, rate, momentum, w, g, v) {
      for (let i = 0; i < count; i++) {
        const velocity = momentum * (m[v + i] ?? 0) + (m[g + i] ?? 0);
        m[v + i] = velocity;
        m[w + i] = (m[w + i] ?? 0) - rate * velocity;
      }
    },
  };
}
