import { assert, type Bytes } from "@tutti/base";
import { layoutOf } from "@tutti/engine";
import { addMetricSums, addToSum, decodeModelFile, metricGridOf, metricsOnGrid, noMetricSums, serverOptimizer, sumGridOf } from "@tutti/learning";
import { decode, decodeSafetensors, float32FromBytes, parseJson, ReportFactsSchema, reportFactsKey, type MetricSums, type ReportFacts } from "@tutti/protocol";
import type { Task } from "@tutti/rounds";
import { bodyChoicesMax } from "./limits.ts";

/** A report as its device sent it. */
export type SentReport = { readonly body: Bytes; readonly delta: Float32Array; readonly facts: ReportFacts };

/** What a round that counted exactly these reports comes to. */
export type RoundResult = { readonly parameters: Float32Array | null; readonly metrics: MetricSums };

/** The report in a body; undefined for a body that is none. */
export function sentReportOf(body: Bytes): SentReport | undefined {
  const file = decodeSafetensors(body);
  if (!file.ok) return undefined;
  const json = parseJson(file.value.metadata[reportFactsKey] ?? "");
  if (!json.ok) return undefined;
  const facts = decode(ReportFactsSchema, json.value);
  if (!facts.ok) return undefined;
  return { body, delta: float32FromBytes(file.value.tensors[0]?.bytes ?? new Uint8Array()), facts: facts.value };
}

/** The slow twin of a committed round: the paper's loop over the reports, one after the other. @param start the model file that was trained; null for an evaluation. */
export function roundResultOf(task: Task, reports: readonly SentReport[], reportsMax: number, start: Uint8Array | null): RoundResult {
  const { clipNorm, weightMax } = task.sum;
  const metrics = reports.reduce((sum, { facts }) => {
    const rounded = metricsOnGrid(facts.metrics, metricGridOf(reportsMax));
    assert(!("code" in rounded), "metrics that were counted lie within their bounds");
    return addMetricSums(sum, rounded);
  }, noMetricSums);
  if (start === null) return { parameters: null, metrics };
  const vector = new Float64Array(task.parameterCount);
  const grid = sumGridOf({ clipNorm, weightMax, reportsMax });
  let weight = 0;
  for (const { delta, facts } of reports) {
    const own = Math.min(facts.examples, weightMax);
    addToSum(vector, delta, { weight: own, grid });
    weight += own;
  }
  const model = decodeModelFile(start, layoutOf(task.model));
  assert(model.ok, "a round starts from a whole model");
  const optimizer = serverOptimizer(task.serverOptimizer);
  return { parameters: optimizer.update(optimizer.init(task.parameterCount), model.value, { vector, weight }).parameters, metrics };
}

/** Every way of taking one of each slot's bodies, at most `bodyChoicesMax`. */
export function choicesOf<T>(slots: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return slots.reduce<readonly (readonly T[])[]>((chosen, bodies) => chosen.flatMap((some) => bodies.map((body) => [...some, body])).slice(0, bodyChoicesMax), [[]]);
}
