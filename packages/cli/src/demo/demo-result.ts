import type { Sha256Hex } from "@tutti/base";
import type { PopulationName, TaskName } from "@tutti/protocol";
import { measuredText, type Measured } from "../metric.ts";

/** How one run of a demo ended. */
export type DemoResult = {
  readonly seed: number;
  readonly population: PopulationName;
  readonly task: TaskName;
  /** Training rounds that were committed. */
  readonly rounds: number;
  /** The rule that stopped it; null after Ctrl-C. */
  readonly stoppedBy: string | null;
  readonly model: { readonly version: number; readonly hash: Sha256Hex; readonly path: string };
  readonly folder: string;
  /** The newest evaluation by the devices that never train. */
  readonly heldOut: Measured | undefined;
  /** The same model trained in one place; undefined where that was not asked for, or is no one model. */
  readonly central: Measured | undefined;
  readonly exampleVisitCount: number;
  /** Devices that vanished in training rounds. */
  readonly vanishedCount: number;
  readonly durationMs: number;
};

/** The last object of `tutti demo --json`. */
export function resultObject(result: DemoResult): Readonly<Record<string, unknown>> {
  const { heldOut, central } = result;
  return { kind: "demo-finished", ...result, accuracy: heldOut?.metric === "accuracy" ? heldOut.value : null, heldOut: heldOut ?? null, central: central ?? null };
}

/** What a person reads at the end: why it stopped, how good it is, where the model lies and how to take it out. */
export function resultText(result: DemoResult, environment: Readonly<Record<string, string | undefined>>): string {
  const { rounds, stoppedBy, heldOut, central, exampleVisitCount, vanishedCount, model, durationMs } = result;
  // The rule that stopped it has had its line.
  const end = stoppedBy === null ? "interrupted after " : "";
  return [
    `${end}${rounds} training rounds in ${(durationMs / 1000).toFixed(0)} s; ${vanishedCount} devices vanished on the way`,
    `people that never trained: ${measuredText(heldOut)}`,
    ...(central === undefined ? [] : [`the same model trained centrally for as many example visits (${exampleVisitCount}): ${measuredText(central)}`]),
    `model version ${model.version}: ${model.path}`,
    `export any version: ${exportCommand(result, environment)}`,
  ].join("\n");
}

/** The command that works where this one was typed: npm sets the name of the script that it runs. */
function exportCommand({ task, population, folder }: DemoResult, environment: Readonly<Record<string, string | undefined>>): string {
  const script = environment["npm_lifecycle_event"];
  const isScript = script === "start" || script === "tutti";
  const installed = script === "npx" ? "npx tutti" : "tutti";
  const program = isScript ? "npm run tutti --" : installed;
  return `${program} model export ${task} --out model.safetensors --population ${population} --folder ${folder}`;
}

/** Several seeds beside each other, with the mean of what was measured on the held-out people. */
export type SeedsSummary = { readonly heldOut: readonly number[]; readonly central: readonly number[]; readonly heldOutMean: number; readonly centralMean: number | null };

export function seedsSummary(results: readonly DemoResult[]): SeedsSummary {
  const heldOut = results.flatMap((result) => result.heldOut?.value ?? []);
  const central = results.flatMap((result) => result.central?.value ?? []);
  return { heldOut, central, heldOutMean: mean(heldOut), centralMean: central.length === 0 ? null : mean(central) };
}

/** A table of the seeds: federated and central, and their means. */
export function seedsText(results: readonly DemoResult[]): string {
  const { heldOutMean, centralMean } = seedsSummary(results);
  const rows = results.map(({ seed, rounds, heldOut, central }) => `seed ${seed}: ${rounds} rounds, ${measuredText(heldOut)}${central === undefined ? "" : `; central ${measuredText(central)}`}`);
  const metric = results[0]?.heldOut?.metric ?? "loss";
  const centralPart = centralMean === null ? "" : `; central ${measuredText({ metric, value: centralMean })}`;
  return [...rows, `mean of ${results.length} seeds: ${measuredText({ metric, value: heldOutMean })}${centralPart}`].join("\n");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
