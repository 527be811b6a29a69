import { startCoordinator } from "@tutti/coordinator";
import { routes, taskName, populationName, type PopulationKeys, type TaskDocument } from "@tutti/protocol";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const population = populationName("gateways");
const task: TaskDocument = {
  name: taskName("line"),
  description: "Which side of a line a point lies on",
  start: { seed: 1 },
  model: {
    input: { kind: "features", shape: [2] }, target: { kind: "classes", shape: [], classCount: 2 },
    layers: [{ name: "out", kind: "dense", units: 2 }], loss: { kind: "softmax-cross-entropy" }, metrics: [{ kind: "accuracy" }],
  },
  job: { batchSize: 4, optimizer: { kind: "sgd", learningRate: 0.1 } },
  data: { collection: "points", schemaVersion: 1, examplesMin: 1, examplesMax: 100 },
  round: { goalCount: 1, overSelection: 1, selectionWindowMs: 60_000, selectionFractionMin: 1, reportingWindowMs: 60_000, reportingFractionMin: 1 },
  eligibility: { conditions: ["charging"], minSeparation: 1 },
  heldOutFraction: 0,
  sum: { kind: "plain", because: "an example on loopback", clipNorm: 5, weightMax: 10 },
  serverOptimizer: { kind: "fedavg", learningRate: 1 },
  durability: "checkpoint",
  stop: { rounds: 1 },
};

test("the device of the README takes part in a round, and its ledger says so", async () => {
  const coordinator = await startCoordinator({ folder: undefined, host: "127.0.0.1", port: 0, onEvent: () => undefined });
  try {
    const operator = async (method: string, path: string, body: object): Promise<unknown> =>
      (await fetch(coordinator.url + path, { method, headers: { "content-type": "application/json", authorization: `Bearer ${coordinator.operatorToken}` }, body: JSON.stringify(body) })).json();
    const keys = (await operator("PUT", routes.population(population), {})) as PopulationKeys;
    await operator("POST", routes.tasks(population), task);
    process.env["TUTTI_COORDINATOR"] = coordinator.url;
    process.env["TUTTI_KEYS"] = JSON.stringify(keys);
    const { takePart } = await import("./device.ts");
    const [entry] = await takePart(":memory:");
    expect(entry).toMatchObject({ phases: "cdtTu.", isDisclosed: true, end: { ending: { kind: "done" } } });
  } finally {
    await coordinator.close();
  }
});

test("the README shows the very code that ran", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(join(import.meta.dirname, "device.ts"), "utf8")}\`\`\``);
});
