import type { ModelSummary } from "@tutti/protocol";
import { writeFile } from "node:fs/promises";
import type { Arguments } from "../arguments.ts";
import { jsonOption, type CallContext, type Command } from "../command.ts";
import { addressOptions, populationOption, withOperatorClient } from "../coordinator-address.ts";
import { CommandFailure } from "../failure.ts";
import { measured, measuredText } from "../metric.ts";
import type { OperatorClient } from "../operator-client.ts";
import { jsonLine } from "../output.ts";
import { namedTask } from "./task.ts";

const options = [populationOption, ...addressOptions, jsonOption];
const versionMax = 999_999_999;

const list: Command = {
  name: "model list",
  summary: "Lists the versions of a task's model.",
  positionals: ["TASK"],
  options,
  examples: [{ line: "tutti model list watch-activity --population watches --coordinator http://127.0.0.1:7430 --folder tutti-data", text: "each version with the round that made it" }],
  run: async (args, context) => {
    const models = await withOperatorClient(args, context, (client) => modelsOf(client, args));
    for (const model of models) context.output.write(args.has("json") ? jsonLine({ kind: "model", ...model }) : `${modelLine(model)}\n`);
    return 0;
  },
};

const exportModel: Command = {
  name: "model export",
  summary: "Writes a model version as a safetensors file.",
  positionals: ["TASK"],
  options: [{ name: "out", value: "FILE", text: "the file to write" }, { name: "version", value: "N", text: "the version (the newest)" }, ...options],
  examples: [
    { line: "tutti model export watch-activity --out model.safetensors --population watches --coordinator http://127.0.0.1:7430 --folder tutti-data", text: "the newest version" },
    { line: "tutti model export watch-activity --out first.safetensors --version 0 --population watches --folder tutti-data", text: "the start, from a folder that no coordinator holds" },
  ],
  run: exportTo,
};

async function exportTo(args: Arguments, context: CallContext): Promise<number> {
  const out = args.required("out");
  const version = args.integer("version", { min: 0, max: versionMax });
  const { model, bytes } = await withOperatorClient(args, context, async (client) => {
    const model = chosen(await modelsOf(client, args), version);
    return { model, bytes: await client.blob(model.hash) };
  });
  await writeFile(out, bytes);
  const fact = { kind: "model-exported", path: out, version: model.version, hash: model.hash, byteCount: bytes.length };
  context.output.write(args.has("json") ? jsonLine(fact) : `wrote version ${model.version} to ${out}: ${bytes.length} bytes, sha256 ${model.hash}\n`);
  return 0;
}

export const modelCommands: readonly Command[] = [list, exportModel];

function modelsOf(client: OperatorClient, args: Arguments): Promise<readonly ModelSummary[]> {
  const { population, task } = namedTask(args);
  return client.models(population, task);
}

function chosen(models: readonly ModelSummary[], version: number | undefined): ModelSummary {
  const model = models.find((candidate) => (version === undefined ? candidate.isLatest : candidate.version === version));
  if (model === undefined) throw new CommandFailure(`there is no version ${version ?? ""} of this model; see: tutti model list`);
  return model;
}

function modelLine({ version, round, hash, isLatest, metrics }: ModelSummary): string {
  const origin = round === null ? "the start" : `round ${round}`;
  const figure = metrics === null ? "" : `, in training ${measuredText(measured(metrics))}`;
  return `version ${version}${isLatest ? " (newest)" : ""}: ${origin}${figure}, ${hash}`;
}
