import { activationKinds } from "../kernels.ts";
import type { ActivationLayer, DropoutLayer, JoinLayer } from "../model.ts";
import type { LayerProgram, Site } from "../network/program.ts";
import { gradientOf, inputOf } from "../network/site.ts";

export function buildActivation(layer: ActivationLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const kind = activationKinds.indexOf(layer.kind);
  return {
    forward: ({ workspace: { kernels }, batch }) => kernels.activate(kind, batch * x.exampleSize, x.value, y.value),
    backward({ workspace: { kernels }, batch }) {
      if (x.gradient !== null) kernels.activateBackward(kind, batch * x.exampleSize, x.value, y.value, gradientOf(y), x.gradient);
    },
  };
}

/** Zeroes each number with probability `rate` and scales the others by 1/(1 − rate), in training only. */
export function buildDropout(layer: DropoutLayer, site: Site): LayerProgram {
  const x = inputOf(site);
  const y = site.output;
  const mask = site.keep(site.maxBatch * x.exampleSize);
  return {
    forward({ workspace: { kernels, numbers }, batch, random }) {
      if (random === null) {
        kernels.copy(batch * x.exampleSize, x.value, y.value);
        return;
      }
      const draws = random.split(layer.name);
      for (let i = 0; i < batch * x.exampleSize; i++) numbers[mask + i] = draws.uniform() < layer.rate ? 0 : 1 / (1 - layer.rate);
      kernels.multiply(batch * x.exampleSize, x.value, mask, y.value);
    },
    backward({ workspace: { kernels }, batch, random }) {
      if (x.gradient === null) return;
      if (random === null) kernels.copy(batch * x.exampleSize, gradientOf(y), x.gradient);
      else kernels.multiply(batch * x.exampleSize, gradientOf(y), mask, x.gradient);
    },
  };
}

/** The elementwise sum of all inputs. */
export function buildAdd(_layer: JoinLayer, site: Site): LayerProgram {
  const y = site.output;
  return {
    forward({ workspace: { kernels }, batch }) {
      kernels.fill(batch * y.exampleSize, 0, y.value);
      for (const x of site.inputs) kernels.axpy(batch * y.exampleSize, 1, x.value, y.value);
    },
    backward({ workspace: { kernels }, batch }) {
      for (const x of site.inputs) {
        if (x.gradient !== null) kernels.copy(batch * y.exampleSize, gradientOf(y), x.gradient);
      }
    },
  };
}

/** All inputs side by side along the last axis. */
export function buildConcat(_layer: JoinLayer, site: Site): LayerProgram {
  const y = site.output;
  const whole = y.shape.at(-1) ?? 0;
  const rowsPerExample = y.exampleSize / whole;
  const parts = site.inputs.map((x, i) => ({
    x, width: x.shape.at(-1) ?? 0,
    left: site.inputs.slice(0, i).reduce((sum, other) => sum + (other.shape.at(-1) ?? 0), 0),
  }));
  return {
    forward({ workspace: { kernels }, batch }) {
      for (const { x, width, left } of parts) kernels.copyRows(batch * rowsPerExample, width, x.value, width, y.value + left, whole);
    },
    backward({ workspace: { kernels }, batch }) {
      for (const { x, width, left } of parts) {
        if (x.gradient !== null) kernels.copyRows(batch * rowsPerExample, width, gradientOf(y) + left, whole, x.gradient, width);
      }
    },
  };
}
