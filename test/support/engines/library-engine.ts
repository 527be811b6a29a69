import { addMetrics, layoutOf, noMetrics, type Batch, type BatchSource, type Engine, type LocalJob, type LocalResult, type MetricSums, type Model, type ParameterLayout, type Trainer } from "@tutti/engine";

/** A model's parameters, held by a library in tensors of its own; tensors come in the order of the layout. */
export interface LibraryNetwork {
  load(parameters: readonly Float32Array[]): void;
  read(): readonly Float32Array[];
  /** Mean loss of a batch; the library lets go of what it took. */
  loss(batch: Batch): number;
  gradient(batch: Batch): { readonly loss: number; readonly gradients: readonly Float32Array[] };
  /** w ← w − learningRate·g; gives the loss before the step. */
  step(batch: Batch, learningRate: number): number;
  dispose(): void;
}

export type Library = {
  readonly id: string;
  /** Kinds of layers that it cannot train. */
  readonly missing: (model: Model) => readonly string[];
  readonly open: (model: Model, layout: ParameterLayout) => LibraryNetwork;
};

/** An engine over somebody's library: how one plugs in. It knows plain SGD over examples as they come, and counts no memory but parameters and gradients. */
export function libraryEngine({ id, missing, open }: Library): Engine {
  return {
    id,
    check(model) {
      const lacks = missing(model);
      return lacks.length > 0 ? { ok: false, missing: lacks } : { ok: true, bytes: () => 8 * layoutOf(model).parameterCount };
    },
    compile: (model) => Promise.resolve(new LibraryTrainer(model, open)),
  };
}

class LibraryTrainer implements Trainer {
  readonly layout: ParameterLayout;
  readonly #network: LibraryNetwork;

  constructor(model: Model, open: Library["open"]) {
    this.layout = layoutOf(model);
    this.#network = open(model, this.layout);
  }

  async train(job: LocalJob, examples: BatchSource, signal?: AbortSignal): Promise<LocalResult> {
    const { kind, learningRate } = job.optimizer;
    if (kind !== "sgd" || job.exampleOrder !== "as-given" || job.frozen.length + job.personal.length > 0) throw new Error("a library's engine takes plain SGD over examples as they come");
    this.#network.load(this.#tensors(job.start));
    const losses: number[] = [];
    let metrics = noMetrics;
    for (const batch of batchesOf(examples, job.batchSize, job.epochCount)) {
      if (signal?.aborted === true) break;
      await Promise.resolve();
      losses.push(this.#network.step(batch, learningRate));
      metrics = addMetrics(metrics, sumsOf(batch, losses.at(-1) ?? 0));
    }
    const delta = this.#flat(this.#network.read()).map((value, i) => value - (job.start[i] ?? 0));
    return {
      delta, personal: new Float32Array(0), exampleCount: examples.exampleCount, exampleVisitCount: metrics.exampleCount, stepCount: losses.length,
      lossFirst: losses[0] ?? Number.NaN, lossLast: losses.at(-1) ?? Number.NaN, metrics, stopped: signal?.aborted === true ? "signal" : "completed",
    };
  }

  evaluate(parameters: Float32Array, examples: BatchSource): Promise<MetricSums> {
    this.#network.load(this.#tensors(parameters));
    const sums = batchesOf(examples, 1, 1).map((batch) => sumsOf(batch, this.#network.loss(batch)));
    return Promise.resolve(sums.reduce(addMetrics, noMetrics));
  }

  gradient(parameters: Float32Array, batch: Batch, out: Float32Array): number {
    this.#network.load(this.#tensors(parameters));
    const { loss, gradients } = this.#network.gradient(batch);
    out.set(this.#flat(gradients));
    return loss;
  }

  dispose(): void {
    this.#network.dispose();
  }

  #tensors(vector: Float32Array): readonly Float32Array[] {
    return this.layout.tensors.map(({ offset, elementCount }) => vector.slice(offset, offset + elementCount));
  }

  #flat(tensors: readonly Float32Array[]): Float32Array<ArrayBuffer> {
    const vector = new Float32Array(this.layout.parameterCount);
    for (const [i, { offset }] of this.layout.tensors.entries()) vector.set(tensors[i] ?? [], offset);
    return vector;
  }
}

/** Consecutive batches, `epochCount` times over. */
function batchesOf({ exampleCount, inputs, targets }: BatchSource, batchSize: number, epochCount: number): readonly Batch[] {
  const inputSize = inputs.length / exampleCount;
  const targetSize = targets.length / exampleCount;
  const epoch = Array.from({ length: Math.ceil(exampleCount / batchSize) }, (_, i) => {
    const [first, end] = [i * batchSize, Math.min(exampleCount, (i + 1) * batchSize)];
    return { exampleCount: end - first, inputs: inputs.slice(first * inputSize, end * inputSize), targets: targets.slice(first * targetSize, end * targetSize) };
  });
  return Array.from({ length: epochCount }, () => epoch).flat();
}

function sumsOf({ exampleCount, targets }: Batch, loss: number): MetricSums {
  return { ...noMetrics, exampleCount, predictionCount: targets.length, lossSum: loss * targets.length };
}
