import { systemClock } from "@tutti/base/node";
import { startCoordinator, type CoordinatorEvent } from "@tutti/coordinator";
import { populationName } from "@tutti/protocol";
import { mkdirSync, mkdtempSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CallContext } from "../command.ts";
import { untilAborted } from "../interruption.ts";
import { OperatorClient } from "../operator-client.ts";
import { Reporter, reporterMode } from "../reporter.ts";
import { createTask } from "../task-file.ts";
import { centralFigure } from "./central-training.ts";
import type { DemoResult } from "./demo-result.ts";
import type { DemoSettings } from "./demo-settings.ts";
import { openDemoTask, type DemoTask } from "./demo-task.ts";
import { RunTally } from "./run-tally.ts";
import { sharesOf, startWorkers, type WorkerPool } from "./worker-pool.ts";
import type { FromWorker, WorkerSetup } from "./worker-messages.ts";

const population = populationName("demo");
/** Check-ins per second of all devices together: a round fills within a fraction of a second, and the machine is left to training. */
const checkInsPerSecond = 200;

/**
 * One whole run: a coordinator on loopback with the embedded store, threads of devices that talk to it over HTTP, the
 * task until its stop rule, and the model as a file. Ctrl-C ends it early and cleanly.
 */
export async function runDemo(settings: DemoSettings, context: CallContext, seed: number): Promise<DemoResult> {
  const startedAt = systemClock.now();
  const demoTask = await openDemoTask(settings, seed);
  const folder = folderOf(settings, seed);
  const tally = new RunTally();
  const reporter = new Reporter({ output: context.output, mode: reporterMode(context.output, settings.isJson), now: () => systemClock.now(), roundsMax: demoTask.roundsMax });
  let pool: WorkerPool | undefined;
  const onEvent = (event: CoordinatorEvent): void => {
    tally.event(event);
    reporter.event(event);
    if (event.kind === "round-opened" && event.roundKind === "train") pool?.tell({ kind: "round-opened" });
  };
  const coordinator = await startCoordinator({ folder, host: "127.0.0.1", port: 0, onEvent });
  try {
    const client = new OperatorClient({ url: coordinator.url, token: coordinator.operatorToken });
    const setup = { coordinatorUrl: coordinator.url, population, keys: await client.addPopulation(population), ...workerPart(demoTask, settings, seed) };
    pool = await startWorkers(setup, sharesOf(demoTask.deviceCount, settings.workerCount), (message) => tellVanished(message, tally, reporter));
    reporter.note(beginning(demoTask, settings, coordinator.url));
    await untilStopped({ client, demoTask, tally, pool, interrupted: context.interrupted });
    await pool.stop();
    pool = undefined;
    reporter.end();
    return await resultOf({ client, demoTask, tally, folder, seed, startedAt, interrupted: context.interrupted });
  } finally {
    reporter.end();
    await pool?.stop();
    await coordinator.close();
  }
}

type Running = { readonly client: OperatorClient; readonly demoTask: DemoTask; readonly tally: RunTally; readonly interrupted: AbortSignal };

/** The task is created when the devices are there: its first round's window is not spent on their start. */
async function untilStopped({ client, demoTask, tally, pool, interrupted }: Running & { readonly pool: WorkerPool }): Promise<void> {
  const summary = await createTask(client, population, demoTask.file);
  // A folder whose task was done before: nothing is left to train.
  if (summary.phase === "done") return;
  await Promise.race([tally.stopped, pool.failed, untilAborted(interrupted)]);
}

async function resultOf(run: Running & { readonly folder: string; readonly seed: number; readonly startedAt: number }): Promise<DemoResult> {
  const { client, demoTask, tally, folder, seed } = run;
  const durationMs = systemClock.now() - run.startedAt;
  const { summary } = await client.task(population, demoTask.name);
  const path = join(folder, "model.safetensors");
  await writeFile(path, await client.blob(summary.modelHash));
  const { exampleVisitCount, heldOut, vanishedCount } = tally;
  return {
    seed, population, folder, heldOut, exampleVisitCount, vanishedCount, durationMs,
    task: demoTask.name,
    rounds: summary.trainRoundsCommitted,
    stoppedBy: summary.stoppedBy,
    model: { version: summary.modelVersion, hash: summary.modelHash, path },
    central: run.interrupted.aborted || exampleVisitCount === 0 ? undefined : await centralFigure(demoTask, exampleVisitCount),
  };
}

function tellVanished(message: FromWorker, tally: RunTally, reporter: Reporter): void {
  if (message.kind !== "device-vanished") return;
  tally.event(message);
  reporter.event(message);
}

function workerPart({ people, query, goalCount, deviceCount }: DemoTask, settings: DemoSettings, seed: number): Pick<WorkerSetup, "people" | "query" | "vanishing" | "checkInMs"> {
  const checkInMs = Math.ceil((1000 * deviceCount) / checkInsPerSecond);
  return { people, query, vanishing: { seed, perRound: Math.min(settings.vanishPerRound, goalCount), goalCount }, checkInMs };
}

function beginning({ name, trainingCount, deviceCount, origin }: DemoTask, { workerCount }: DemoSettings, url: string): string {
  const threads = Math.min(workerCount, deviceCount);
  return `"${name}" on ${origin}: ${trainingCount} devices train, ${deviceCount - trainingCount} others evaluate; ${threads} threads talk HTTP to the coordinator at ${url}`;
}

/** A folder of its own for every run, so that no run is taken for the rest of another. */
function folderOf({ folder, seeds }: DemoSettings, seed: number): string {
  if (folder !== undefined) return seeds.length === 1 ? folder : join(folder, `seed-${seed}`);
  mkdirSync(".tutti", { recursive: true });
  return mkdtempSync(join(".tutti", "demo-"));
}
