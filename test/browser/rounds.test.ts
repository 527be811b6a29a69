import type { BatchSource } from "@tutti/engine";
import { decodeSafetensors, taskName, type Json, type PopulationKeys, type TaskDocument } from "@tutti/protocol";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { requiresChromium } from "../support/requires.ts";
import type { Lab } from "./page/lab.ts";
import { nodeDevice, policy, population, watchTask } from "./support/coordinator.ts";
import { openPage } from "./support/chromium.ts";
import { startRelay } from "./support/relay.ts";
import { policyWithoutWasm } from "./support/site.ts";
import { openDevice, plainExamples, Stage, watchPeople } from "./support/stage.ts";

/** What page/lab.ts puts into its page. */
declare const lab: Lab;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.build();
});
afterEach(() => stage.clear());
afterAll(() => stage.remove());

test("pages of an app and devices of Node fill one round together, each once", async (context) => {
  const path = requiresChromium(context);
  const site = await stage.site();
  // A round of five, in which no device may report twice: it needs all five.
  const world = await stage.task(watchTask(5, { eligibility: { conditions: ["idle"], minSeparation: 2 }, stop: { rounds: 1 } }), [site.origin]);
  const people = await watchPeople(5);
  site.answers.set("/settings.json", { population, coordinatorUrl: world.url, keys: world.keys, policy });
  people.forEach((person, i) => site.answers.set(`/examples.json?person=${i}`, plainExamples(person)));
  const pages = await Promise.all([0, 1, 2].map(async (i) => openPage(await stage.profile(path), `${site.origin}/?person=${i}`)));
  for (const { page } of pages) await page.click("#consent");
  const app = new AbortController();
  const devices = await Promise.all(people.slice(3).map((person) => nodeDevice(world, "watch-windows", person)));
  const runs = devices.map((device) => device.run(app.signal));
  await world.until(({ kind }) => kind === "task-stopped");
  app.abort();
  await Promise.all(runs);
  expect(world.events.filter((event) => event.kind === "round-committed").map(({ counts }) => counts.reported)).toEqual([5]);
  for (const { page, complaints } of pages) {
    await page.getByText("done").waitFor();
    expect(complaints).toEqual([]);
  }
});

test("three pages of three people and two devices of Node train the watch task, every one in every round", async (context) => {
  const path = requiresChromium(context);
  const site = await stage.site();
  const world = await stage.task(watchTask(5, { stop: { rounds: 3 } }), [site.origin]);
  const people = await watchPeople(5);
  const pages = await Promise.all(people.slice(0, 3).map(async (person) => openDevice(await stage.profile(path), site, { coordinatorUrl: world.url, keys: world.keys }, plainExamples(person))));
  const devices = await Promise.all(people.slice(3).map((person) => nodeDevice(world, "watch-windows", person)));
  for (let round = 0; round < 3; round++) {
    await Promise.all([
      ...pages.map(({ page }) => page.evaluate(async () => {
        while ((await lab.device().participate()).ending.kind !== "done");
      })),
      ...devices.map(async (device) => {
        while ((await device.participate()).ending.kind !== "done");
      }),
    ]);
    await world.until((event) => event.kind === "round-committed" && event.round === round);
  }
  const metrics = world.events.filter((event) => event.kind === "round-committed").map(({ counts, metrics: { lossSum, count } }) => ({ reported: counts.reported, loss: lossSum / count }));
  expect(metrics.map(({ reported }) => reported)).toEqual([5, 5, 5]);
  expect(metrics.at(-1)?.loss).toBeLessThan(metrics[0]?.loss ?? 0);
  for (const { complaints } of pages) expect(complaints).toEqual([]);
});

/** Two classes of 784 numbers, and a network of 814 090 parameters: 3.3 MB to download, train, clip and send. */
const wideTask: TaskDocument = watchTask(1, {
  name: taskName("wide"),
  model: {
    input: { kind: "features", shape: [784] }, target: { kind: "classes", shape: [], classCount: 10 },
    layers: [{ name: "hidden", kind: "dense", units: 1024 }, { name: "relu", kind: "relu" }, { name: "out", kind: "dense", units: 10 }],
    loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 10, epochCount: 2, optimizer: { kind: "sgd", learningRate: 0.01 } },
  data: { collection: "images", schemaVersion: 1, examplesMin: 1, examplesMax: 1000 },
});
const images: BatchSource = {
  exampleCount: 200,
  inputs: Float32Array.from({ length: 200 * 784 }, (_, i) => Math.sin(i)),
  targets: Int32Array.from({ length: 200 }, (_, i) => i % 10),
};

test("while a device takes part, no task of its page's thread is longer than 50 ms", async (context) => {
  const path = requiresChromium(context);
  const site = await stage.site();
  const world = await stage.task(wideTask, [site.origin]);
  const { page, complaints } = await openDevice(await stage.profile(path), site, { coordinatorUrl: world.url, keys: world.keys }, plainExamples(images, "images"));
  const { before, ending, after } = await page.evaluate(async () => {
    const turn = (): Promise<void> => new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    // What the bench did before, its examples' JSON above all, is not the device's.
    await turn();
    const before = lab.longTasks.length;
    const outcome = await lab.device().participate();
    await turn();
    return { before, ending: outcome.ending.kind, after: lab.longTasks.length };
  });
  expect(ending).toBe("done");
  expect(after - before).toBe(0);
  expect(complaints).toEqual([]);
  // The observer does see a long task.
  expect(await page.evaluate(async () => {
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        lab.block(120);
        resolve();
      }, 0);
    });
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    return lab.longTasks.length;
  })).toBeGreaterThan(after);
});

test("where the policy refuses WebAssembly the js engine takes part, and under the documented one nothing is refused", async (context) => {
  const path = requiresChromium(context);
  const [person] = await watchPeople(1);
  const strict = await stage.site(policyWithoutWasm);
  const documented = await stage.site();
  for (const [site, engines, refused] of [[strict, ["js"], ["script-src wasm-eval", "script-src wasm-eval"]], [documented, ["wasm-relaxed", "wasm-simd", "js"], []]] as const) {
    const world = await stage.task(watchTask(1, { stop: { rounds: 1 } }), [site.origin]);
    const device = await openDevice(await stage.profile(path), site, { coordinatorUrl: world.url, keys: world.keys, bench: { heldPause: 0 } }, person && plainExamples(person));
    expect(device.engines).toEqual(engines);
    expect(await device.page.evaluate(async () => (await lab.device().participate()).ending.kind)).toBe("done");
    expect(await device.page.evaluate(() => lab.violations)).toEqual(refused);
    expect(device.complaints).toEqual([]);
  }
});

test("a page may not ask a coordinator that does not allow its origin", async (context) => {
  const path = requiresChromium(context);
  const site = await stage.site();
  const world = await stage.task(watchTask(1), ["https://app.example"]);
  const [person] = await watchPeople(1);
  const { page } = await openDevice(await stage.profile(path), site, { coordinatorUrl: world.url, keys: world.keys }, person && plainExamples(person));
  expect(await page.evaluate(async () => (await lab.device().participate()).ending)).toMatchObject({ kind: "failed", code: "unreachable" });
});

/** Layers whose bits could differ between two JavaScript engines, if the kernels used anything of theirs: recurrences, attention, exp and tanh, norms. */
const recurrent = {
  ...watchTask(1).model as object,
  layers: [
    { name: "lstm", kind: "lstm", units: 12 }, { name: "gru", kind: "gru", units: 8 }, { name: "attention", kind: "attention", heads: 2, causal: true },
    { name: "norm", kind: "layer-norm" }, { name: "gelu", kind: "gelu" }, { name: "drop", kind: "dropout", rate: 0.2 },
    { name: "mean", kind: "global-average-pool" }, { name: "out", kind: "dense", units: 5 },
  ],
} satisfies Json;

test.for<readonly [name: string, model: Json]>([
  ["convolutions and pooling", watchTask(1).model],
  ["recurrences and attention", recurrent],
])("a device of a page and one of Node with the same examples and draws send the same bytes through %s, with other draws not", async ([, model], context) => {
  const path = requiresChromium(context);
  const site = await stage.site();
  const [person] = await watchPeople(1);
  if (person === undefined) throw new Error("nobody");
  // A coordinator each: all devices get place 0 of round 0, and so make the same report to the last byte.
  const reportOf = async (participate: (address: { readonly url: string; readonly keys: PopulationKeys }) => Promise<string>): Promise<Buffer> => {
    const world = await stage.task(watchTask(1, { model, stop: { rounds: 1 } }), [site.origin]);
    const relay = stage.ended(await startRelay(world.url));
    expect(await participate({ url: relay.url, keys: world.keys })).toBe("done");
    const sent = relay.relayed.find(({ call }) => call.startsWith("PUT /v1/reports/"))?.body;
    if (sent === undefined) throw new Error("no report passed the relay");
    return sent;
  };
  const onNode = (fixedByte: number) => reportOf(async (address) => (await (await nodeDevice(address, "watch-windows", person, fixedByte)).participate()).ending.kind);
  const ofNode = await onNode(7);
  const ofPage = await reportOf(async ({ url, keys }) => {
    const { page } = await openDevice(await stage.profile(path), site, { coordinatorUrl: url, keys, numerics: "deterministic", bench: { heldPause: 0 } }, plainExamples(person));
    return page.evaluate(async () => (await lab.device().participate()).ending.kind);
  });
  const decoded = decodeSafetensors(ofNode);
  expect(decoded.ok && decoded.value.tensors.map(({ name }) => name)).toEqual(["delta"]);
  expect(ofPage.equals(ofNode)).toBe(true);
  expect((await onNode(8)).equals(ofNode)).toBe(false);
});
