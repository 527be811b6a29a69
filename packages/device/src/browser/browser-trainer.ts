import { enginesOf, TrainerQueue, type EnginePorts, type KernelBytes, type Numerics } from "@tutti/engine";
import type { LocalTrainer } from "../platform.ts";

const evaluationBatch = 64;

/** How a device trains: on which kernels, to which bits, in how much memory. */
export type TrainerSettings = { readonly kernels: KernelBytes | null; readonly numerics: Numerics; readonly memoryBytesMax: number };

/**
 * Trains in the thread that it is made in, which must not be a page's, on the best engine that runs here.
 * @param ports `pause` must let messages in: by one of them the page withdraws the person's consent.
 */
export function browserTrainer({ kernels, numerics, memoryBytesMax }: TrainerSettings, ports: EnginePorts): LocalTrainer {
  let evaluation: AbortSignal | null = null;
  const pause = async (): Promise<void> => {
    await ports.pause();
    evaluation?.throwIfAborted();
  };
  const engines = enginesOf(kernels, numerics, { pause, now: () => ports.now() });
  const queue = new TrainerQueue({ engine: engines[0], numerics, memoryBytesMax });
  return {
    engines: engines.map(({ id }) => id),
    memoryBytesMax,
    train: ({ model, job, examples }, signal) => queue.use({ model, maxBatch: job.batchSize, training: job }, (trainer) => trainer.train(job, examples, signal)),
    // An engine looks at no signal while it evaluates, but it pauses before every minibatch.
    evaluate: ({ model, parameters, examples }, signal) => queue.use({ model, maxBatch: evaluationBatch, training: null }, async (trainer) => {
      evaluation = signal;
      try {
        return await trainer.evaluate(parameters, examples);
      } finally {
        evaluation = null;
      }
    }),
  };
}

/**
 * A turn of the thread's event loop: what came before it is handled first. No timer, which browsers hold
 * for 4 ms once it is nested, and not `scheduler.yield`, which lets itself in before waiting messages.
 */
export function messageTurn(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.addEventListener("message", () => waiting.shift()?.());
  port1.start();
  return () => new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });
}
