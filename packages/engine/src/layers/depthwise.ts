import type { DepthwiseConv2dLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient } from "./weight-gradient.ts";
import { windowOf } from "./window.ts";

/** Each channel under its own window: x [batch, height, width, channels], W [height, width, channels], b [channels]. */
export function buildDepthwise(layer: DepthwiseConv2dLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const window = windowOf(layer, x.shape);
  const channels = window[2];
  const positions = y.exampleSize / channels;
  const weightCount = window[3] * window[4] * channels;
  const weights = site.parameter("kernel").offset;
  const bias = site.parameter("bias").offset;
  site.scratch(weightCount);
  return {
    forward({ workspace: { kernels }, batch }) {
      kernels.fillRows(batch * positions, channels, bias, y.value);
      for (let i = 0; i < batch; i++) kernels.depthwise(x.value + i * x.exampleSize, weights, y.value + i * y.exampleSize, ...window);
    },
    backward(pass) {
      const { workspace: { kernels }, batch, scratch, sink } = pass;
      const dy = gradientOf(y);
      if (x.gradient !== null) {
        kernels.fill(batch * x.exampleSize, 0, x.gradient);
        for (let i = 0; i < batch; i++) kernels.depthwiseInput(dy + i * y.exampleSize, weights, x.gradient + i * x.exampleSize, ...window);
      }
      if (pass.frozen.has(layer.name)) return;
      // Summed apart from the sink: a fused step rounds into the weights once.
      kernels.fill(weightCount, 0, scratch);
      for (let i = 0; i < batch; i++) kernels.depthwiseKernel(x.value + i * x.exampleSize, dy + i * y.exampleSize, scratch, ...window);
      kernels.axpy(weightCount, sink.scale, scratch, sink.base + weights);
      addBiasGradient(pass, { layer: layer.name, bias, rows: batch * positions, outputs: channels, dy });
    },
  };
}
