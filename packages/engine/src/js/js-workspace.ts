import type { Kernels } from "../kernels.ts";
import { elementKernels } from "./elements.ts";
import { lossKernels } from "./losses.ts";
import { matrixKernels } from "./matrix.ts";
import { normKernels } from "./norms.ts";
import { recurrentKernels } from "./recurrent.ts";
import { rowKernels } from "./rows.ts";
import type { Numbers, Workspace } from "../workspace.ts";
import { tileKernels } from "./tiles.ts";
import { updateKernels } from "./updates.ts";
import { windowKernels } from "./windows.ts";

/** The reference kernels over plain arrays; float64 where a test takes finite differences. */
export function jsWorkspace(create: (elementCount: number) => Numbers = (count) => new Float32Array(count)): Workspace {
  let numbers = create(0);
  let kernels = kernelsOn(numbers);
  return {
    get numbers() {
      return numbers;
    },
    get kernels() {
      return kernels;
    },
    reserve(elementCount) {
      if (elementCount <= numbers.length) return;
      const larger = create(elementCount);
      larger.set(numbers);
      numbers = larger;
      kernels = kernelsOn(numbers);
    },
    release() {
      numbers = create(0);
      kernels = kernelsOn(numbers);
    },
  };
}

function kernelsOn(m: Numbers): Kernels {
  return {
    ...matrixKernels(m), ...elementKernels(m), ...rowKernels(m), ...windowKernels(m), ...tileKernels(m), ...normKernels(m), ...recurrentKernels(m),
    ...lossKernels(m), ...updateKernels(m),
  };
}
