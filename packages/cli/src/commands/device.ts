import { createDevice, defaultPolicy, type Device, type ParticipationOutcome } from "@tutti/device";
import { inProcessTrainer, NodeDatabase, nodeFetch, nodePlatform, processLock, settableConditions } from "@tutti/device/node";
import { decodeJson, PopulationKeysSchema, type PopulationKeys } from "@tutti/protocol";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError, type Arguments } from "../arguments.ts";
import { jsonOption, type CallContext, type Command } from "../command.ts";
import { coordinatorUrl, populationOf, populationOption } from "../coordinator-address.ts";
import { CommandFailure } from "../failure.ts";
import { keyFileBytesMax } from "../limits.ts";
import { jsonLine } from "../output.ts";
import { openClient, type Person } from "../people.ts";
import { readTextFile } from "../read-file.ts";

export const device: Command = {
  name: "device",
  summary: "Runs one device on this machine: it keeps its data, and takes part when its task and its owner allow.",
  positionals: [],
  options: [
    { name: "coordinator", value: "URL", text: "the coordinator's address" },
    populationOption,
    { name: "keys", value: "FILE", text: "the population's public keys, as `tutti serve` prints them: a file, or the JSON itself" },
    { name: "data", value: "PATH", text: "folder of a data set" },
    { name: "client", value: "ID", text: "whose part of the data set this device holds" },
    { name: "store", value: "FILE", text: "the device's own database (.tutti/devices/ID.sqlite)" },
    { name: "allow-plain", text: "give reports that the coordinator can read; without it plain tasks are declined" },
    { name: "once", text: "take part once, at once, instead of until Ctrl-C" },
    jsonOption,
  ],
  examples: [
    { line: "tutti device --coordinator http://127.0.0.1:7430 --population watches --keys keys.json --data ../shared/data/har_phone_watch --client s01 --allow-plain", text: "a watch that takes part until Ctrl-C" },
    { line: "tutti device --coordinator http://127.0.0.1:7430 --population watches --keys keys.json --data ../shared/data/har_phone_watch --client s02 --allow-plain --once", text: "one participation, and its end" },
  ],
  run: runDevice,
};

async function runDevice(args: Arguments, context: CallContext): Promise<number> {
  const url = coordinatorUrl(args);
  const population = populationOf(args);
  const keys = await pinnedKeys(args.required("keys"));
  const person = await openClient(args.required("data"), args.required("client"));
  const database = openDatabase(args.text("store") ?? join(".tutti", "devices", `${person.id}.sqlite`));
  try {
    const conditions = settableConditions({ idle: true, charging: true, unmetered: true, consent: true });
    const platform = nodePlatform(person.id, { database, fetch: nodeFetch(1), trainer: inProcessTrainer(), lock: processLock() }, conditions);
    const device = createDevice({ population, coordinatorUrl: url, keys, platform, policy: { ...defaultPolicy, allowPlain: args.has("allow-plain") } });
    await addExamples(device, person);
    return await takePart(device, args, context);
  } finally {
    database.close();
  }
}

async function takePart(device: Device, args: Arguments, { output, interrupted }: CallContext): Promise<number> {
  const told = (outcome: ParticipationOutcome): void => output.write(args.has("json") ? jsonLine({ kind: "participation", ...outcome }) : `${outcomeLine(outcome)}\n`);
  if (!args.has("once")) {
    await device.run(interrupted, told);
    return 0;
  }
  const outcome = await device.participate(interrupted);
  told(outcome);
  return outcome.ending.kind === "failed" ? 1 : 0;
}

/** The examples are the app's to add, once: a device that is started again has them already. */
async function addExamples(device: Device, { collection, schemaVersion, examples }: Person): Promise<void> {
  if ((await device.examples.count({ collection, schemaVersion })) > 0) return;
  const added = await device.examples.add(collection, schemaVersion, examples);
  if (!added.ok) throw new CommandFailure(`the device's store takes ${added.error.expected}`);
}

async function pinnedKeys(text: string): Promise<PopulationKeys> {
  const isJson = text.trimStart().startsWith("{");
  const keys = decodeJson(PopulationKeysSchema, isJson ? text : await readTextFile(text, keyFileBytesMax));
  if (!keys.ok) throw new UsageError(`--keys: ${keys.error.path}: expected ${keys.error.expected}`);
  return keys.value;
}

function openDatabase(path: string): NodeDatabase {
  mkdirSync(dirname(path), { recursive: true });
  return new NodeDatabase(path);
}

function outcomeLine({ ending, retryAtMs }: ParticipationOutcome): string {
  const detail = "detail" in ending && ending.detail !== "" ? `: ${ending.detail}` : "";
  const reason = "reason" in ending ? ` (${ending.reason})` : "";
  const code = "code" in ending ? ` (${ending.code})` : "";
  return `${ending.kind}${reason}${code}${detail}; again at ${new Date(retryAtMs).toISOString()}`;
}
