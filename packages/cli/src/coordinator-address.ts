import { isName, populationName, taskName, type PopulationName, type TaskName } from "@tutti/protocol";
import { startCoordinator } from "@tutti/coordinator";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError, type Arguments, type OptionSpec } from "./arguments.ts";
import type { CallContext } from "./command.ts";
import { CommandFailure } from "./failure.ts";
import { keyFileBytesMax } from "./limits.ts";
import { OperatorClient } from "./operator-client.ts";
import { readTextFile } from "./read-file.ts";

const tokenFile = "operator-token";

export const populationOption: OptionSpec = { name: "population", value: "NAME", text: "the population of devices" };

/** Where a coordinator is and what opens its operators' side. */
export const addressOptions: readonly OptionSpec[] = [
  { name: "coordinator", value: "URL", text: "the coordinator's address, as `tutti serve` prints it" },
  { name: "token", value: "TOKEN", text: "the operators' token; or set TUTTI_TOKEN" },
  { name: "folder", value: "DIR", text: "its data folder, to read the token from; without --coordinator the folder itself is opened" },
];

/**
 * What `work` gives with a client of the coordinator that the options name. With a folder alone a
 * coordinator runs on it, on loopback, for just as long; a folder that another one holds is refused.
 */
export async function withOperatorClient<T>(args: Arguments, context: CallContext, work: (client: OperatorClient) => Promise<T>): Promise<T> {
  const folder = args.text("folder");
  if (args.text("coordinator") !== undefined || folder === undefined) return work(await remoteClient(args, context, folder));
  if (!existsSync(join(folder, tokenFile))) throw new CommandFailure(`${folder}: no coordinator's data folder`);
  const coordinator = await startCoordinator({ folder, host: "127.0.0.1", port: 0, onEvent: () => undefined });
  try {
    return await work(new OperatorClient({ url: coordinator.url, token: coordinator.operatorToken }));
  } finally {
    await coordinator.close();
  }
}

async function remoteClient(args: Arguments, { environment }: CallContext, folder: string | undefined): Promise<OperatorClient> {
  const url = coordinatorUrl(args);
  const token = args.text("token") ?? environment["TUTTI_TOKEN"] ?? (folder === undefined ? "" : await folderToken(folder));
  if (token === "") throw new UsageError("--token is missing: give it, set TUTTI_TOKEN, or name the data folder with --folder");
  return new OperatorClient({ url, token });
}

/** An http or https address without a path of its own. */
export function coordinatorUrl(args: Arguments): string {
  const text = args.required("coordinator");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) throw new UsageError(`--coordinator ${text}: expected an address as http://127.0.0.1:7430`);
  return url.href.replace(/\/+$/, "");
}

export function populationOf(args: Arguments): PopulationName {
  const text = args.required("population");
  if (!isName(text)) throw new UsageError(`--population ${text}: expected lower-case letters, digits and hyphens`);
  return populationName(text);
}

export function taskOf(args: Arguments): TaskName {
  const text = args.positional("TASK");
  if (!isName(text)) throw new UsageError(`TASK ${text}: expected a task's name: lower-case letters, digits and hyphens`);
  return taskName(text);
}

async function folderToken(folder: string): Promise<string> {
  return (await readTextFile(join(folder, tokenFile), keyFileBytesMax)).trim();
}
