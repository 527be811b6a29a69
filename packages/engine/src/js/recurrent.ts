import type { RecurrentKernels } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The cells of docs/engine.md, one unit at a time. */
export function recurrentKernels(m: Numbers): RecurrentKernels {
  return {
    lstmCell(rows, units, z, cBefore, c, h) {
      eachUnit(rows, units, (k, row, u) => {
        const at = z + 4 * row + u;
        const [i, f, g, o] = [sigmoid(m[at] ?? 0), sigmoid(m[at + units] ?? 0), Math.tanh(m[at + 2 * units] ?? 0), sigmoid(m[at + 3 * units] ?? 0)];
        const cell = f * (m[cBefore + k] ?? 0) + i * g;
        [m[at], m[at + units], m[at + 2 * units], m[at + 3 * units]] = [i, f, g, o];
        m[c + k] = cell;
        m[h + k] = o * Math.tanh(cell);
      });
    },
    lstmCellBackward(rows, units, z, cBefore, c, dh, dc) {
      eachUnit(rows, units, (k, row, u) => {
        const at = z + 4 * row + u;
        const [i, f, g, o] = [m[at] ?? 0, m[at + units] ?? 0, m[at + 2 * units] ?? 0, m[at + 3 * units] ?? 0];
        const t = Math.tanh(m[c + k] ?? 0);
        const slope = m[dh + k] ?? 0;
        const dCell = (m[dc + k] ?? 0) + slope * o * (1 - t * t);
        m[at] = dCell * g * i * (1 - i);
        m[at + units] = dCell * (m[cBefore + k] ?? 0) * f * (1 - f);
        m[at + 2 * units] = dCell * i * (1 - g * g);
        m[at + 3 * units] = slope * t * o * (1 - o);
        m[dc + k] = dCell * f;
      });
    },
    gruCell(rows, units, a, b, hBefore, h) {
      eachUnit(rows, units, (k, row, u) => {
        const at = 3 * row + u;
        const r = sigmoid((m[a + at] ?? 0) + (m[b + at] ?? 0));
        const z = sigmoid((m[a + at + units] ?? 0) + (m[b + at + units] ?? 0));
        const n = Math.tanh((m[a + at + 2 * units] ?? 0) + r * (m[b + at + 2 * units] ?? 0));
        [m[a + at], m[a + at + units], m[a + at + 2 * units]] = [r, z, n];
        m[h + k] = (1 - z) * n + z * (m[hBefore + k] ?? 0);
      });
    },
    gruCellBackward(rows, units, a, b, hBefore, dh, dhBefore) {
      eachUnit(rows, units, (k, row, u) => {
        const at = 3 * row + u;
        const [r, z, n] = [m[a + at] ?? 0, m[a + at + units] ?? 0, m[a + at + 2 * units] ?? 0];
        const slope = m[dh + k] ?? 0;
        const dn = slope * (1 - z) * (1 - n * n);
        const dz = slope * ((m[hBefore + k] ?? 0) - n) * z * (1 - z);
        const dr = dn * (m[b + at + 2 * units] ?? 0) * r * (1 - r);
        [m[a + at], m[a + at + units], m[a + at + 2 * units]] = [dr, dz, dn];
        [m[b + at], m[b + at + units], m[b + at + 2 * units]] = [dr, dz, dn * r];
        m[dhBefore + k] = slope * z;
      });
    },
  };
}

/** `k` counts the units of all rows; `row` is the first of the row, `u` the unit within it. */
function eachUnit(rows: number, units: number, visit: (k: number, row: number, u: number) => void): void {
  for (let k = 0; k < rows * units; k++) visit(k, k - (k % units), k % units);
}
