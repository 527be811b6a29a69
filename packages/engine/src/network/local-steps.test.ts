import { describe, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import type { LocalJob, LocalOptimizer } from "../local-job.ts";
import { nodeEngines } from "../node/node-engines.ts";
import { relativeL2 } from "../test/distance.ts";
import { float64Trainer } from "../test/finite-differences.ts";
import { examplesOf, gridVector, parametersOf, sandwich } from "../test/models.ts";
import { idlePorts } from "../test/ports.ts";
import { jobOf } from "../../../../test/support/engines/vector-tasks.ts";

const model = sandwich([4], { name: "tanh", kind: "tanh" });
const start = parametersOf(model, 21);
const examples = examplesOf(model, 9, 22);
const batchSize = 4;
const plain: LocalJob = { ...jobOf({ batch: batchSize, lr: 0.2 }, start), epochCount: 3 };

/** The loop of docs/engine.md in float64, one line per rule; the gradients are the engine's own in float64. The first `frozenCount` parameters stay. */
function pseudocode(job: LocalJob, frozenCount = 0): Float64Array {
  const trainer = float64Trainer(model, batchSize);
  const inputSize = examples.inputs.length / examples.exampleCount;
  const w = Float64Array.from(job.start);
  const [m, v] = [new Float64Array(w.length), new Float64Array(w.length)];
  const slopes = (first: number, count: number): Float64Array => {
    const out = new Float32Array(w.length);
    const batch = { exampleCount: count, inputs: examples.inputs.subarray(first * inputSize, (first + count) * inputSize), targets: examples.targets.subarray(first, first + count) };
    trainer.gradient(Float32Array.from(w), batch, out);
    return Float64Array.from(out);
  };
  const clipped = (g: Float64Array, norm: number): Float64Array => g.map((value) => value * Math.min(1, norm / Math.hypot(...g)));
  let t = 0;
  for (let epoch = 0; epoch < job.epochCount; epoch++) {
    for (let first = 0; first < examples.exampleCount; first += job.batchSize) {
      const count = Math.min(job.batchSize, examples.exampleCount - first);
      t++;
      let g = slopes(first, count);
      if (job.clip?.per === "batch") g = clipped(g, job.clip.norm);
      if (job.clip?.per === "example") {
        g = new Float64Array(w.length);
        for (let i = 0; i < count; i++) for (const [j, value] of clipped(slopes(first + i, 1), job.clip.norm).entries()) g[j] = (g[j] ?? 0) + value / count;
      }
      for (let j = frozenCount; j < w.length; j++) {
        const slope = (g[j] ?? 0) + (job.correction?.[j] ?? 0) + job.proximalTerm * ((w[j] ?? 0) - (job.start[j] ?? 0));
        [w[j], m[j], v[j]] = stepped(job.optimizer, t, slope, [w[j] ?? 0, m[j] ?? 0, v[j] ?? 0]);
      }
    }
  }
  return w.map((value, j) => value - (job.start[j] ?? 0));
}

type State = [w: number, m: number, v: number];

function stepped(rule: LocalOptimizer, t: number, slope: number, [w, m, v]: State): State {
  const lr = rule.learningRate;
  const g = rule.kind === "adamw" ? slope : slope + rule.weightDecay * w;
  switch (rule.kind) {
    case "sgd": {
      const velocity = rule.momentum * m + g;
      return [w - lr * velocity, velocity, 0];
    }
    case "adagrad": return [w - (lr * g) / (Math.sqrt(v + g * g) + rule.epsilon), 0, v + g * g];
    case "adam": case "adamw": {
      const first = rule.beta1 * m + (1 - rule.beta1) * g;
      const second = rule.beta2 * v + (1 - rule.beta2) * g * g;
      const decay = rule.kind === "adamw" ? lr * rule.weightDecay * w : 0;
      return [w - decay - (lr * (first / (1 - rule.beta1 ** t))) / (Math.sqrt(second / (1 - rule.beta2 ** t)) + rule.epsilon), first, second];
    }
    default: return [w, m, v];
  }
}

const sgd = { kind: "sgd", learningRate: 0.2, momentum: 0, weightDecay: 0 } as const;
const adam = { learningRate: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0 } as const;
const correction = gridVector(start.length, 23).map((value) => value / 8);
const changes: Readonly<Record<string, Partial<LocalJob>>> = {
  "plain SGD": {},
  "momentum": { optimizer: { ...sgd, momentum: 0.9 } },
  "weight decay": { optimizer: { ...sgd, weightDecay: 0.3 } },
  "momentum and weight decay": { optimizer: { ...sgd, momentum: 0.5, weightDecay: 0.3 } },
  "Adam": { optimizer: { kind: "adam", ...adam } },
  "Adam with weight decay": { optimizer: { kind: "adam", ...adam, weightDecay: 0.3 } },
  "AdamW": { optimizer: { kind: "adamw", ...adam, weightDecay: 0.3 } },
  "Adagrad": { optimizer: { kind: "adagrad", learningRate: 0.1, epsilon: 1e-6, weightDecay: 0.1 } },
  "the proximal term of FedProx": { proximalTerm: 0.7 },
  "the correction of SCAFFOLD": { correction },
  "a clip per batch": { clip: { per: "batch", norm: 0.4 } },
  "a clip per example": { clip: { per: "example", norm: 0.4 } },
  "a clip that nothing reaches": { clip: { per: "batch", norm: 1e6 } },
  "all terms at once": { clip: { per: "example", norm: 0.4 }, proximalTerm: 0.7, correction, optimizer: { kind: "adamw", ...adam, weightDecay: 0.3 } },
};

async function deltaOf(engine: Engine, job: LocalJob): Promise<Float32Array> {
  const trainer = await engine.compile(model, { maxBatch: batchSize, numerics: "fast" });
  const { delta } = await trainer.train(job, examples);
  trainer.dispose();
  return delta;
}

describe.each(nodeEngines(idlePorts).map((engine) => [engine.id, engine] as const))("%s", (_id, engine) => {
  test.each(Object.keys(changes))("takes the steps of the pseudocode with %s", async (name) => {
    const job = { ...plain, ...changes[name] };
    // Nine steps in float32 against float64.
    expect(relativeL2(await deltaOf(engine, job), pseudocode(job))).toBeLessThan(2e-5);
  });

  test("keeps a frozen layer, under weight decay and momentum too, and leaves it out of the delta", async () => {
    const job = { ...plain, optimizer: { ...sgd, momentum: 0.5, weightDecay: 0.3 } };
    const frozen = await deltaOf(engine, { ...job, frozen: ["first"] });
    // first: 4·4 + 4 parameters come before last's 4·3 + 3.
    expect(frozen.length).toBe(15);
    expect(relativeL2(frozen, pseudocode(job, 20).subarray(20))).toBeLessThan(2e-5);
    expect(relativeL2(frozen, pseudocode(job).subarray(20))).toBeGreaterThan(1e-3);
  });

  test("trains a personal layer, keeps it out of the delta and gives its values apart", async () => {
    const trainer = await engine.compile(model, { maxBatch: batchSize, numerics: "fast" });
    const result = await trainer.train({ ...plain, personal: ["last"] }, examples);
    const whole = await trainer.train(plain, examples);
    expect(result.delta).toEqual(whole.delta.subarray(0, 20));
    expect(relativeL2(result.personal, start.map((value, j) => value + (whole.delta[j] ?? 0)).subarray(20))).toBeLessThan(1e-6);
  });
});

test("the rules differ from each other by more than the tolerance", () => {
  const deltas = Object.values(changes).map((change) => pseudocode({ ...plain, ...change }));
  const same = deltas.flatMap((a, i) => deltas.slice(i + 1).filter((b) => relativeL2(a, b) < 1e-3));
  // Only the clip that nothing reaches is plain SGD.
  expect(same.length).toBe(1);
});

test("an example clipped to a tenth of its norm moves the model a tenth as far", async () => {
  const one = { ...examples, exampleCount: 1, inputs: examples.inputs.subarray(0, 4), targets: examples.targets.subarray(0, 1) };
  const trainer = float64Trainer(model, 1);
  const gradient = new Float32Array(start.length);
  trainer.gradient(start, one, gradient);
  const norm = Math.hypot(...gradient) / 10;
  const clipped = await trainer.train({ ...plain, epochCount: 1, batchSize: 1, clip: { per: "example", norm } }, one);
  expect(relativeL2(clipped.delta, gradient.map((value) => (-0.2 * value) / 10))).toBeLessThan(1e-6);
});
