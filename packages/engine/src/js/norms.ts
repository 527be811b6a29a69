import type { NormKernels } from "../kernels.ts";
import type { Numbers } from "../workspace.ts";

export function normKernels(m: Numbers): NormKernels {
  return {
    normalize(examples, positions, channels, groups, epsilon, x, y, inverse) {
      eachGroup({ examples, positions, channels, groups }, (group, elements) => {
        const count = elements.length;
        const mean = elements.reduce((sum, i) => sum + (m[x + i] ?? 0), 0) / count;
        const variance = elements.reduce((sum, i) => sum + ((m[x + i] ?? 0) - mean) ** 2, 0) / count;
        const factor = 1 / Math.sqrt(variance + epsilon);
        m[inverse + group] = factor;
        for (const i of elements) m[y + i] = ((m[x + i] ?? 0) - mean) * factor;
      });
    },
    normalizeBackward(examples, positions, channels, groups, y, inverse, dy, dx) {
      eachGroup({ examples, positions, channels, groups }, (group, elements) => {
        const count = elements.length;
        const mean = elements.reduce((sum, i) => sum + (m[dy + i] ?? 0), 0) / count;
        const slope = elements.reduce((sum, i) => sum + (m[y + i] ?? 0) * (m[dy + i] ?? 0), 0) / count;
        for (const i of elements) m[dx + i] = (m[inverse + group] ?? 0) * ((m[dy + i] ?? 0) - mean - (m[y + i] ?? 0) * slope);
      });
    },
  };
}

type Extents = { readonly examples: number; readonly positions: number; readonly channels: number; readonly groups: number };

/** Visits each example's groups of neighbouring channels with the offsets of their elements. */
function eachGroup({ examples, positions, channels, groups }: Extents, visit: (group: number, elements: readonly number[]) => void): void {
  const width = channels / groups;
  for (let group = 0; group < examples * groups; group++) {
    const first = Math.floor(group / groups) * positions * channels + (group % groups) * width;
    visit(group, Array.from({ length: positions * width }, (_, i) => first + Math.floor(i / width) * channels + (i % width)));
  }
}
