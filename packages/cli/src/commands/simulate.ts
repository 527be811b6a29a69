import { systemClock } from "@tutti/base/node";
import type { TaskDocument } from "@tutti/protocol";
import { openPopulation, partitioned, simulate as runSimulation, taskView, type Population, type SimulationResult } from "@tutti/simulator";
import type { CoordinatorEvent } from "@tutti/coordinator";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Arguments } from "../arguments.ts";
import { jsonOption, type CallContext, type Command } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { interruptedExitCode } from "../interruption.ts";
import { demoWorkersMax, simulationRoundsMax } from "../limits.ts";
import { measured, measuredText, type Measured } from "../metric.ts";
import { partitionOf, partitionOptions, seedOf } from "../partition-options.ts";
import { Reporter, reporterMode } from "../reporter.ts";
import { checkedTask, readTaskFile, type TaskFile } from "../task-file.ts";

/** A researcher's first command: real data, real coordinator and devices, no network and no waiting. */
export const simulate: Command = {
  name: "simulate",
  summary: "Runs a task on a data set at full speed: the real coordinator and real devices on virtual time, training on all cores.",
  positionals: ["TASK"],
  options: [
    { name: "data", value: "PATH", text: "data set: a folder, or a file of LEAF, JSON lines or CSV (synthetic people)" },
    { name: "rounds", value: "N", text: "stop after N training rounds, instead of by the task's own rule" },
    { name: "workers", value: "N", text: "threads that train (one per core); the result does not depend on it" },
    ...partitionOptions,
    { name: "out", value: "FILE", text: "write the last model as a safetensors file" },
    jsonOption,
  ],
  examples: [
    { line: "tutti simulate examples/watch --data ../shared/data/har_phone_watch", text: "real watches of 18 people, judged by 5 others" },
    { line: "tutti simulate examples/mnist-2nn --data ../shared/data/mnist --partition iid --clients 100", text: "McMahan's 2NN to 97 % of MNIST" },
    { line: "tutti simulate examples/mnist-writers --data ../shared/data/mnist --rounds 5 --seed 7 --json", text: "five rounds on the digits of real writers, a JSON object for each thing that happens" },
  ],
  run: runSimulate,
};

async function runSimulate(args: Arguments, context: CallContext): Promise<number> {
  const startedAt = systemClock.now();
  const seed = seedOf(args);
  const file = await seededTask(args, seed);
  const population = await peopleFor(args, file, seed);
  const reporter = new Reporter({ output: context.output, mode: reporterMode(context.output, args.has("json")), now: () => systemClock.now(), roundsMax: file.task.stop.rounds });
  const tally = new RoundTally();
  const workerCount = args.integer("workers", { min: 1, max: demoWorkersMax }) ?? availableParallelism();
  reporter.note(`"${file.task.name}" on ${population.description}, seed ${seed}; trained in ${workerCount === 1 ? "1 thread" : `${workerCount} threads`}; the seconds of the rounds are those of the devices`);
  const onEvent = (event: CoordinatorEvent): void => {
    tally.event(event);
    reporter.event(event);
  };
  try {
    const result = await runSimulation({ ...documentOf(file), population, seed, workerCount, onEvent, interrupted: context.interrupted });
    reporter.end();
    const out = args.text("out");
    if (out !== undefined) await writeFile(out, result.model);
    report(reporter, { result, tally, seed, durationMs: systemClock.now() - startedAt });
    return context.interrupted.aborted ? interruptedExitCode : 0;
  } finally {
    reporter.end();
  }
}

/** The task as it is written, or as `--seed` and `--rounds` change it, checked again. */
async function seededTask(args: Arguments, seed: number): Promise<TaskFile> {
  const path = args.positional("TASK");
  const file = await readTaskFile(path);
  const rounds = args.integer("rounds", { min: 1, max: simulationRoundsMax });
  const start = "seed" in file.task.start ? { start: { seed } } : {};
  const stop = rounds === undefined ? {} : { stop: { rounds } };
  return { ...file, ...checkedTask(path, { ...(file.document as object), ...start, ...stop }) };
}

/** `checkedTask` let the document pass. */
function documentOf({ document, startFile }: TaskFile): { readonly document: TaskDocument } | { readonly document: TaskDocument; readonly startFile: NonNullable<TaskFile["startFile"]> } {
  const checked = document as unknown as TaskDocument;
  return startFile === undefined ? { document: checked } : { document: checked, startFile };
}

/** @throws CommandFailure where the task could not run on them. */
async function peopleFor(args: Arguments, { task }: TaskFile, seed: number): Promise<Population> {
  const path = args.text("data");
  const partition = partitionOf(args);
  const opened = await openPopulation(path === undefined ? { kind: "synthetic", collection: task.data.collection, seed, trainingCountMin: 0 } : { kind: "folder", path });
  const population = partitioned(opened, partition, seed);
  const { faults } = taskView(task, population);
  if (faults.length > 0) throw new CommandFailure([`"${task.name}" cannot run on ${population.description}`, ...faults.map((fault) => `  ${fault}`)].join("\n"));
  return population;
}

/** What the events add up to. */
class RoundTally {
  heldOut: Measured | undefined;
  trainRoundsCommitted = 0;

  event(event: CoordinatorEvent): void {
    if (event.kind !== "round-committed") return;
    if (event.roundKind === "train") this.trainRoundsCommitted++;
    else this.heldOut = measured(event.metrics) ?? this.heldOut;
  }
}

type Finished = { readonly result: SimulationResult; readonly tally: RoundTally; readonly seed: number; readonly durationMs: number };

function report(reporter: Reporter, { result, tally, seed, durationMs }: Finished): void {
  const { stoppedBy, modelVersion, modelHash, participationCount, wire } = result;
  const { heldOut, trainRoundsCommitted: rounds } = tally;
  const roundsPerSecond = (1000 * rounds) / durationMs;
  reporter.fact({ kind: "simulation-finished", seed, rounds, stoppedBy, modelVersion, modelHash, heldOut: heldOut ?? null, participationCount, wire, durationMs, roundsPerSecond });
  // The rule that stopped it was told by its event.
  reporter.note(`${stoppedBy === null ? "interrupted after" : "in all"} ${rounds} training rounds, ${participationCount} participations and ${(durationMs / 1000).toFixed(1)} s (${roundsPerSecond.toFixed(2)} rounds per second)`);
  reporter.note(`devices sent ${megabytes(wire.map(({ sentBytes }) => sentBytes))} and received ${megabytes(wire.map(({ receivedBytes }) => receivedBytes))}`);
  reporter.note(`people that never trained: ${measuredText(heldOut)}`);
  reporter.note(`model version ${modelVersion}: ${modelHash}`);
}

function megabytes(byteCounts: readonly number[]): string {
  return `${(byteCounts.reduce((sum, count) => sum + count, 0) / 1e6).toPrecision(3)} MB`;
}
