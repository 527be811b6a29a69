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
      const pool = isMax ? kernels.maxPool : kernels.averagePool;
      for (let i = 0; i < batch; i++) pool(x.value + i * x.size, y.value + i * y.size, ...window);
    },
    backward({ workspace: { kernels }, batch }) {
      if (x.gradient === null) return;
      const dy = gradientOf(y);
      kernels.fill(batch * x.size, 0, x.gradient);
      for (let i = 0; i < batch; i++) {
        const [dyOne, dxOne] = [dy + i * y.size, x.gradient + i * x.size];
        if (isMax) kernels.maxPoolBackward(x.value + i * x.size, y.value + i * y.size, dyOne, dxOne, ...window);
        else kernels.averagePoolBackward(dyOne, dxOne, ...window);
      }
    },
  };
}
