import { expect, test } from "vitest";
import type { Engine, Trainer } from "./engine.ts";
import { jsEngine } from "./js/js-engine.ts";
import { sandwich } from "./test/models.ts";
import { idlePorts } from "./test/ports.ts";
import { jobOf } from "../../../test/support/engines/vector-tasks.ts";
import { TrainerQueue } from "./trainer-queue.ts";

const model = sandwich([2]);
const wish = { model, maxBatch: 4, training: null };

/** The js engine, telling what it made and what was disposed. */
function toldEngine(): { readonly engine: Engine; readonly told: string[] } {
  const told: string[] = [];
  const engine = jsEngine(idlePorts);
  return {
    told,
    engine: {
      ...engine,
      async compile(which, options) {
        told.push(`compile ${options.maxBatch}`);
        const trainer = await engine.compile(which, options);
        return Object.assign(Object.create(trainer) as Trainer, { dispose: () => { told.push("dispose"); trainer.dispose(); } });
      },
    },
  };
}

const queueOf = (engine: Engine, memoryBytesMax = 1e9): TrainerQueue => new TrainerQueue({ engine, numerics: "fast", memoryBytesMax });

test("callers have the trainer one at a time, in the order in which they asked", async () => {
  const { engine, told } = toldEngine();
  const queue = queueOf(engine);
  const work = (name: string) => async (): Promise<string> => {
    told.push(`${name} begins`);
    for (let i = 0; i < 5; i++) await Promise.resolve();
    told.push(`${name} ends`);
    return name;
  };
  expect(await Promise.all(["a", "b", "c"].map((name) => queue.use(wish, work(name))))).toEqual(["a", "b", "c"].map((value) => ({ ok: true, value })));
  expect(told).toEqual(["compile 4", "a begins", "a ends", "b begins", "b ends", "c begins", "c ends", "dispose"]);
});

test("another batch or another model gets a trainer of its own, and the one before is disposed first", async () => {
  const { engine, told } = toldEngine();
  const queue = queueOf(engine);
  const use = (one: object) => queue.use({ ...wish, ...one }, (trainer) => Promise.resolve(trainer.layout.parameterCount));
  const results = await Promise.all([use({}), use({ maxBatch: 8 }), use({ maxBatch: 8, model: sandwich([3]) })]);
  // [2]: 2·2 + 2 + 2·3 + 3 parameters; [3]: 3·3 + 3 + 3·3 + 3.
  expect(results.map((result) => result.ok && result.value)).toEqual([15, 15, 24]);
  expect(told).toEqual(["compile 4", "dispose", "compile 8", "dispose", "compile 8", "dispose"]);
});

test("a caller whose work fails gets its own error, and the next one a fresh trainer", async () => {
  const { engine, told } = toldEngine();
  const queue = queueOf(engine);
  const failing = queue.use(wish, () => Promise.reject(new Error("the kernels trapped")));
  const next = queue.use(wish, () => Promise.resolve("fine"));
  await expect(failing).rejects.toThrow("the kernels trapped");
  expect(await next).toEqual({ ok: true, value: "fine" });
  expect(told).toEqual(["compile 4", "dispose", "compile 4", "dispose"]);
});

test("a job whose optimizer needs more memory than is allowed is refused before anything is compiled", async () => {
  const { engine, told } = toldEngine();
  const check = engine.check(model);
  const training = { ...jobOf({ batch: 4, lr: 0.1 }, new Float32Array(15)), clip: { per: "example" as const, norm: 1 } };
  const memoryBytesMax = check.ok ? check.bytes(4) : 0;
  const queue = queueOf(engine, memoryBytesMax);
  expect(await queue.use(wish, () => Promise.resolve("fits"))).toEqual({ ok: true, value: "fits" });
  expect(await queue.use({ ...wish, training }, () => Promise.resolve("too large"))).toMatchObject({ ok: false, error: { code: "engine-missing" } });
  expect(told).toEqual(["compile 4", "dispose"]);
});
