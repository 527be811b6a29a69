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
    adamStep(count, rate, beta1, beta2, epsilon, w, g, first, second) {
      for (let i = 0; i < count; i++) {
        const slope = m[g + i] ?? 0;
        const mean = beta1 * (m[first + i] ?? 0) + (1 - beta1) * slope;
        const square = beta2 * (m[second + i] ?? 0) + (1 - beta2) * slope * slope;
        m[first + i] = mean;
        m[second + i] = square;
        m[w + i] = (m[w + i] ?? 0) - (rate * mean) / (Math.sqrt(square) + epsilon);
      }
    },
    adagradStep(count, rate, epsilon, w, g, s) {
      for (let i = 0; i < count; i++) {
        const slope = m[g + i] ?? 0;
        const squareSum = (m[s + i] ?? 0) + slope * slope;
        m[s + i] = squareSum;
        m[w + i] = (m[w + i] ?? 0) - (rate * slope) / (Math.sqrt(squareSum) + epsilon);
      }
    },
  };
}
