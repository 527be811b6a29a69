import { sha256, sha256Hex, hexFromBytes, type Bytes } from "@tutti/base";
import { decodeLocalTraining, decodeModel, initialParameters, layoutOf, type BatchSource, type LocalTraining, type Model } from "@tutti/engine";
import { encodeModelFile } from "@tutti/learning";
import { populationName, roundId, taskName, type Plan, type TaskOffer } from "@tutti/protocol";

/** A softmax of two features and two classes: 6 parameters. */
const modelDocument = {
  input: { kind: "features", shape: [2] },
  target: { kind: "classes", shape: [], classCount: 2 },
  layers: [{ name: "out", kind: "dense", units: 2 }],
  loss: { kind: "softmax-cross-entropy" },
  metrics: [{ kind: "accuracy" }],
};
const jobDocument = { batchSize: 2, epochCount: 3, optimizer: { kind: "sgd", learningRate: 0.5 } };

export const model: Model = taken(decodeModel(modelDocument));
export const training: LocalTraining = taken(decodeLocalTraining(jobDocument));
export const layout = layoutOf(model);
export const parameters = Float32Array.from(initialParameters(model, 1));
export const modelFile: Bytes = encodeModelFile(parameters, layout, {});

/** Five examples, which one line parts. */
export const examples: BatchSource = {
  exampleCount: 5,
  inputs: Float32Array.of(1, 0.5, -1, 0, 2, 1, -0.5, -1, 1, -0.2),
  targets: Int32Array.of(1, 0, 1, 0, 1),
};

export const population = populationName("watches");
const task = taskName("activity");
export const round = roundId(population, task, 7);

export const offer: TaskOffer = {
  task, kind: "train", protocol: 1, step: 6,
  data: { collection: "windows", schemaVersion: 1, examplesMin: 1, examplesMax: 100 },
  eligibility: { conditions: ["idle", "unmetered"], cohort: "training", heldOutFraction: 0, minSeparation: 1 },
  sum: { kind: "plain", because: "a test", clipNorm: 0.25, weightMax: 100 },
};

export const plan: Plan = {
  ...offer, population, round: 7, roundNonce: sha256Hex("5".repeat(64)), model: modelDocument, parameterCount: layout.parameterCount,
  modelHash: hashOf(modelFile), job: jobDocument, reportDeadlineMs: 600_000,
};

export function hashOf(bytes: Uint8Array): Plan["modelHash"] {
  return sha256Hex(hexFromBytes(sha256(bytes)));
}

function taken<T>(decoded: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }): T {
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.error));
  return decoded.value;
}
