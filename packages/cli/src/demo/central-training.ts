import { assert } from "@tutti/base";
import type { LocalTrainer } from "@tutti/device";
import { inProcessTrainer } from "@tutti/device/node";
import { epochCountMax, initialParameters, stepCountMax, type BatchSource } from "@tutti/engine";
import { beginLocalTraining, metricSumsOf } from "@tutti/learning";
import { measured, type Measured } from "../metric.ts";
import { openPeople } from "../people.ts";
import type { DemoTask } from "./demo-task.ts";

/**
 * What the same model, start, optimizer and batches give with all training examples in one place, for as many example
 * visits as the devices made, on the held-out examples. Undefined where the job keeps layers out of the sum: there is
 * no one model to compare then.
 */
export async function centralFigure(task: DemoTask, exampleVisitCount: number): Promise<Measured | undefined> {
  if (task.training.personal.length > 0 || task.training.frozen.length > 0) return undefined;
  const people = await openPeople(task.people);
  const partOf = (cohort: "training" | "held-out") => pooled(people.filter((person) => person.cohort === cohort).map(({ examples }) => examples));
  const trainer = inProcessTrainer();
  const parameters = await trainedParameters(trainer, task, { examples: partOf("training"), exampleVisitCount });
  const evaluated = await trainer.evaluate({ model: task.model, parameters, examples: partOf("held-out") }, new AbortController().signal);
  assert(evaluated.ok, "an engine that trains a model evaluates it");
  return measured(metricSumsOf(evaluated.value));
}

async function trainedParameters(trainer: LocalTrainer, { model, training, seed }: DemoTask, data: { readonly examples: BatchSource; readonly exampleVisitCount: number }): Promise<Float32Array<ArrayBuffer>> {
  const { examples, exampleVisitCount } = data;
  const start = Float32Array.from(initialParameters(model, seed));
  const stepCountLimit = Math.min(stepCountMax, Math.max(1, Math.round(exampleVisitCount / training.batchSize)));
  const epochCount = Math.min(epochCountMax, Math.ceil(exampleVisitCount / examples.exampleCount) + 1);
  const job = beginLocalTraining({ ...training, epochCount, stepCountLimit, timeLimitMs: null, proximalTerm: 0 }, { parameters: start, shuffleSeed: seed });
  const trained = await trainer.train({ model, examples, job }, new AbortController().signal);
  assert(trained.ok, "an engine that trained the devices trains the pooled examples");
  return start.map((value, i) => value + (trained.value.delta[i] ?? 0));
}

/** All examples in one source. @returns [Σ exampleCount] in the order of the parts. */
function pooled(parts: readonly BatchSource[]): BatchSource {
  const exampleCount = parts.reduce((sum, part) => sum + part.exampleCount, 0);
  return { exampleCount, inputs: joined(parts.map(({ inputs }) => inputs)), targets: joined(parts.map(({ targets }) => targets)) };
}

function joined(parts: readonly (Float32Array | Int32Array)[]): Float32Array | Int32Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = parts[0] instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
