import type { Window } from "../kernels.ts";
import type { GlobalPoolLayer, PoolLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { wholeWindow, windowOf } from "./window.ts";

/** Greatest or mean value under each window, per channel; padding is not counted. */
export function buildPooling(layer: PoolLayer | GlobalPoolLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const window: Window = "window" in layer ? windowOf(layer, x.shape) : wholeWindow(x.shape);
  const isMax = layer.kind === "max-pool" || layer.kind === "global-max-pool";
  return {
    forward({ workspace: { kernels }, batch }) {
      for (let i = 0; i < batch; i++) {
        const [xOne, yOne] = [x.value + i * x.exampleSize, y.value + i * y.exampleSize];
        if (isMax) kernels.maxPool(xOne, yOne, ...window);
        else kernels.averagePool(xOne, yOne, ...window);
      }
    },
    backward({ workspace: { kernels }, batch }) {
      if (x.gradient === null) return;
      const dy = gradientOf(y);
      kernels.fill(batch * x.exampleSize, 0, x.gradient);
      for (let i = 0; i < batch; i++) {
        const [dyOne, dxOne] = [dy + i * y.exampleSize, x.gradient + i * x.exampleSize];
        if (isMax) kernels.maxPoolBackward(x.value + i * x.exampleSize, y.value + i * y.exampleSize, dyOne, dxOne, ...window);
        else kernels.averagePoolBackward(dyOne, dxOne, ...window);
      }
    },
  };
}
