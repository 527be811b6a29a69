import type { GroupNormLayer, LayerNormLayer } from "../model.ts";
import type { LayerProgram, Pass, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";
import { addBiasGradient } from "./weight-gradient.ts";

/**
 * y = scale·x̂ + shift, x̂ of mean 0 and variance 1: over the last axis (layer norm, Ba et al. 2016), or
 * over all positions of each group of channels (group norm, Wu and He 2018).
 */
export function buildNorm(layer: LayerNormLayer | GroupNormLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const channels = x.shape.at(-1) ?? 0;
  const rowsPerExample = x.exampleSize / channels;
  const groups = layer.kind === "group-norm" ? layer.groups : 1;
  const normalized = site.keep(site.maxBatch * x.exampleSize);
  const inverse = site.keep(site.maxBatch * rowsPerExample * groups);
  const [scale, shift] = [site.parameter("scale").offset, site.parameter("shift").offset];
  const extents = (batch: number): readonly [examples: number, positions: number, channels: number, groups: number] =>
    layer.kind === "group-norm" ? [batch, rowsPerExample, channels, groups] : [batch * rowsPerExample, 1, channels, 1];
  site.scratch(site.maxBatch * x.exampleSize);
  return {
    forward({ workspace: { kernels }, batch }) {
      kernels.normalize(...extents(batch), layer.epsilon, x.value, normalized, inverse);
      kernels.scaleShiftRows(batch * rowsPerExample, channels, normalized, scale, shift, y.value);
    },
    backward(pass) {
      const { workspace: { kernels }, batch, scratch } = pass;
      const rows = batch * rowsPerExample;
      const dy = gradientOf(y);
      if (x.gradient !== null) {
        kernels.multiplyRows(rows, channels, dy, scale, scratch);
        kernels.normalizeBackward(...extents(batch), normalized, inverse, scratch, x.gradient);
      }
      addScaleGradient(pass, { layer: layer.name, scale, rows, channels, normalized, dy });
      addBiasGradient(pass, { layer: layer.name, bias: shift, rows, outputs: channels, dy });
    },
  };
}

type ScaleGradient = { readonly layer: string; readonly scale: number; readonly rows: number; readonly channels: number; readonly normalized: number; readonly dy: number };

function addScaleGradient({ workspace: { kernels }, sink, frozen }: Pass, g: ScaleGradient): void {
  if (!frozen.has(g.layer)) kernels.addColumnProducts(g.rows, g.channels, sink.scale, g.dy, g.normalized, sink.base + g.scale);
}
