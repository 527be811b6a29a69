import { availableParallelism } from "node:os";
import type { Arguments, OptionSpec } from "../arguments.ts";
import { demoDevicesMax, demoRoundsMax, demoSeedsMax, demoWorkersMax } from "../limits.ts";

/** What a person asks of a demo. */
export type DemoSettings = {
  /** Task file or folder; undefined for the task on synthetic people that comes with Tutti. */
  readonly taskPath: string | undefined;
  /** Folder of a data set with one person per device; undefined for synthetic people. */
  readonly dataPath: string | undefined;
  /** Devices that train; undefined for as many as the population has people. */
  readonly deviceCount: number | undefined;
  /** Training rounds instead of the task's own stop rule. */
  readonly roundCount: number | undefined;
  readonly seeds: readonly number[];
  readonly workerCount: number;
  readonly vanishPerRound: number;
  /** Data folder of the coordinator; undefined for a new one below .tutti. */
  readonly folder: string | undefined;
  readonly isJson: boolean;
};

export const demoOptions: readonly OptionSpec[] = [
  { name: "task", value: "PATH", text: "task file, or a folder with a task.ts (activity recognition on synthetic watches)" },
  { name: "data", value: "PATH", text: "folder of a data set, one person per device (synthetic people)" },
  { name: "devices", value: "N", text: "devices that train (one for each person of the population)" },
  { name: "rounds", value: "N", text: "stop after N training rounds, instead of by the task's own rule" },
  { name: "seed", value: "N", text: "seed of the start, of synthetic people and of who vanishes (1)" },
  { name: "seeds", value: "N", text: "one run after another with N seeds, from --seed on, and their mean" },
  { name: "workers", value: "N", text: "worker threads that the devices are spread over (one per core)" },
  { name: "kill-per-round", value: "K", text: "devices that vanish in every training round without a word (1)" },
  { name: "folder", value: "DIR", text: "data folder of the coordinator (a new one below .tutti)" },
];

const seedMax = 2 ** 31;

/** @throws UsageError naming the option. */
export function demoSettings(args: Arguments): DemoSettings {
  const seed = args.integer("seed", { min: 0, max: seedMax }) ?? 1;
  const seedCount = args.integer("seeds", { min: 1, max: demoSeedsMax }) ?? 1;
  return {
    taskPath: args.text("task"),
    dataPath: args.text("data"),
    deviceCount: args.integer("devices", { min: 1, max: demoDevicesMax }),
    roundCount: args.integer("rounds", { min: 1, max: demoRoundsMax }),
    seeds: Array.from({ length: seedCount }, (_, i) => seed + i),
    workerCount: args.integer("workers", { min: 1, max: demoWorkersMax }) ?? availableParallelism(),
    vanishPerRound: args.integer("kill-per-round", { min: 0, max: demoDevicesMax }) ?? 1,
    folder: args.text("folder"),
    isJson: args.has("json"),
  };
}
