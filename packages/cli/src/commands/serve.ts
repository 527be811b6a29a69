import { systemClock } from "@tutti/base/node";
import type { PopulationName } from "@tutti/protocol";
import { startCoordinator, type CoordinatorEvent, type RunningCoordinator } from "@tutti/coordinator";
import { UsageError, type Arguments } from "../arguments.ts";
import { jsonOption, type CallContext, type Command } from "../command.ts";
import { populationOf, populationOption } from "../coordinator-address.ts";
import { untilAborted } from "../interruption.ts";
import { keyFileBytesMax } from "../limits.ts";
import { OperatorClient } from "../operator-client.ts";
import { jsonLine, type Output } from "../output.ts";
import { openProgress, plainLine, progressObject, stepProgress, type Progress } from "../progress.ts";
import { readTextFile } from "../read-file.ts";

const defaultPort = 7430;

export const serve: Command = {
  name: "serve",
  summary: "Runs a coordinator until Ctrl-C; open rounds go on at the next start.",
  positionals: [],
  options: [
    { name: "folder", value: "DIR", text: "data folder; one coordinator at a time" },
    { name: "host", value: "HOST", text: "address to listen on (127.0.0.1)" },
    { name: "port", value: "PORT", text: `port to listen on, 0 for any free one (${defaultPort})` },
    { name: "tls-key", value: "FILE", text: "private key of the server's certificate, PEM" },
    { name: "tls-cert", value: "FILE", text: "the server's certificate chain, PEM" },
    { name: "behind-proxy", text: "a proxy in front ends TLS" },
    { name: "allow-origin", value: "ORIGIN", text: "web pages whose devices may ask; several with commas, * for all" },
    { ...populationOption, text: "add this population, and print the keys that its devices pin" },
    jsonOption,
  ],
  examples: [
    { line: "tutti serve --folder tutti-data --population watches", text: "a coordinator on this machine, for devices on this machine" },
    { line: "tutti serve --folder tutti-data --host 0.0.0.0 --tls-key key.pem --tls-cert chain.pem", text: "one that the world can reach" },
  ],
  run: runServe,
};

async function runServe(args: Arguments, context: CallContext): Promise<number> {
  const isJson = args.has("json");
  const folder = args.required("folder");
  const population = args.text("population") === undefined ? undefined : populationOf(args);
  const coordinator = await startCoordinator({
    folder,
    host: args.text("host") ?? "127.0.0.1",
    port: args.integer("port", { min: 0, max: 65_535 }) ?? defaultPort,
    ...(await tlsOf(args)),
    behindProxy: args.has("behind-proxy"),
    allowOrigins: originsOf(args),
    onEvent: isJson ? (event) => context.output.write(jsonLine(progressObject(event))) : eventLines(context.output),
  });
  try {
    await announce({ coordinator, folder, population, isJson }, context.output);
    await untilAborted(context.interrupted);
  } finally {
    await coordinator.close();
  }
  return 0;
}

type Announced = { readonly coordinator: RunningCoordinator; readonly folder: string; readonly population: PopulationName | undefined; readonly isJson: boolean };

async function announce({ coordinator, folder, population, isJson }: Announced, output: Output): Promise<void> {
  const { url, operatorToken } = coordinator;
  const keys = population === undefined ? null : await new OperatorClient({ url, token: operatorToken }).addPopulation(population);
  if (isJson) {
    output.write(jsonLine({ kind: "serving", url, folder, operatorToken, population: population ?? null, keys }));
    return;
  }
  output.write(`serving at ${url}, data in ${folder}\noperators' token (also in ${folder}/operator-token): ${operatorToken}\n`);
  if (keys !== null) output.write(`keys that devices of "${population ?? ""}" pin:\n${JSON.stringify(keys)}\n`);
}

async function tlsOf(args: Arguments): Promise<{ readonly tls?: { readonly key: string; readonly cert: string } }> {
  const key = args.text("tls-key");
  const cert = args.text("tls-cert");
  if (key === undefined && cert === undefined) return {};
  if (key === undefined || cert === undefined) throw new UsageError(`--tls-${key === undefined ? "key" : "cert"} is missing: TLS needs both`);
  return { tls: { key: await readTextFile(key, keyFileBytesMax), cert: await readTextFile(cert, keyFileBytesMax) } };
}

/** Browsers compare origins letter by letter: a slash or a path at the end would allow nobody. */
function originsOf(args: Arguments): readonly string[] {
  const origins = (args.text("allow-origin") ?? "").split(",").filter((origin) => origin !== "");
  const wrong = origins.find((origin) => origin !== "*" && !(URL.canParse(origin) && new URL(origin).origin === origin));
  if (wrong !== undefined) throw new UsageError(`--allow-origin ${wrong}: expected scheme, host and port alone, as https://app.example`);
  return origins;
}

/** One plain line per thing worth a line, with the task that it is about. */
function eventLines(output: Output): (event: CoordinatorEvent) => void {
  const progress = new Map<string, Progress>();
  return (event) => {
    const origin = "task" in event ? `${event.population}/${event.task}` : "coordinator";
    const before = progress.get(origin) ?? openProgress({ roundsMax: undefined, startedAt: systemClock.now() });
    progress.set(origin, stepProgress(before, event));
    const line = plainLine(before, event);
    if (line !== undefined) output.write(`${origin}  ${line}\n`);
  };
}
