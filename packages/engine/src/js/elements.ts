import { assert } from "@tutti/base";
import { activationKinds, type ElementKernels } from "../kernels.ts";
import type { ActivationKind } from "../model.ts";
import type { Numbers } from "../workspace.ts";

export function elementKernels(m: Numbers): ElementKernels {
  return {
    fill: (count, value, y) => void m.fill(value, y, y + count),
    copy: (count, x, y) => void m.copyWithin(y, x, x + count),
    axpy(count, alpha, x, y) {
      for (let i = 0; i < count; i++) m[y + i] = (m[y + i] ?? 0) + alpha * (m[x + i] ?? 0);
    },
    multiply(count, x, z, y) {
      for (let i = 0; i < count; i++) m[y + i] = (m[x + i] ?? 0) * (m[z + i] ?? 0);
    },
    scale(count, alpha, x) {
      for (let i = 0; i < count; i++) m[x + i] = alpha * (m[x + i] ?? 0);
    },
    sumOfSquares(count, x) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += (m[x + i] ?? 0) ** 2;
      return sum;
    },
    fillRows(rows, n, bias, y) {
      for (let r = 0; r < rows; r++) m.copyWithin(y + r * n, bias, bias + n);
    },
    addColumnSums(rows, n, alpha, x, out) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += m[x + r * n + j] ?? 0;
        m[out + j] = (m[out + j] ?? 0) + alpha * sum;
      }
    },
    copyRows(rows, n, x, ldx, y, ldy) {
      for (let r = 0; r < rows; r++) m.copyWithin(y + r * ldy, x + r * ldx, x + r * ldx + n);
    },
    activate(kind, count, x, y) {
      const { value } = activationAt(kind);
      for (let i = 0; i < count; i++) m[y + i] = value(m[x + i] ?? 0);
    },
    activateBackward(kind, count, x, y, dy, dx) {
      const { slope } = activationAt(kind);
      for (let i = 0; i < count; i++) m[dx + i] = (m[dy + i] ?? 0) * slope(m[x + i] ?? 0, m[y + i] ?? 0);
    },
  };
}

type Activation = { readonly value: (x: number) => number; readonly slope: (x: number, y: number) => number };

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** tanh form of GELU (Hendrycks and Gimpel 2016): 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
const geluInner = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

const activations: Readonly<Record<ActivationKind, Activation>> = {
  relu: { value: (x) => (x > 0 || Number.isNaN(x) ? x : 0), slope: (_, y) => (y > 0 ? 1 : 0) },
  tanh: { value: Math.tanh, slope: (_, y) => 1 - y * y },
  sigmoid: { value: sigmoid, slope: (_, y) => y * (1 - y) },
  silu: { value: (x) => x * sigmoid(x), slope: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
  gelu: {
    value: (x) => 0.5 * x * (1 + Math.tanh(geluInner(x))),
    slope(x) {
      const t = Math.tanh(geluInner(x));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    },
  },
};

function activationAt(kind: number): Activation {
  const name = activationKinds[kind];
  assert(name !== undefined, "an activation's number is an index of activationKinds");
  return activations[name];
}
