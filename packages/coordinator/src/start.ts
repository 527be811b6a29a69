import { base64urlFromBytes, type SecureRandom } from "@tutti/base";
import { systemClock, systemRandom } from "@tutti/base/node";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createAggregator } from "./aggregate/aggregator.ts";
import { nodeCheckpointFiles } from "./aggregate/node-checkpoint-files.ts";
import { memoryCheckpointFiles } from "./aggregate/memory-checkpoint-files.ts";
import { openFileBlobs } from "./blobs/file-blobs.ts";
import { memoryBlobs } from "./blobs/memory-blobs.ts";
import { Coordinator } from "./coordinator.ts";
import type { CoordinatorEvent } from "./events.ts";
import { createHttpServer } from "./http/http-server.ts";
import { closeGraceMs } from "./limits.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { memoryStore } from "./store/memory-store.ts";
import { openSqliteStore } from "./store/sqlite-store.ts";

export type StartOptions = {
  /** Data folder of the embedded store; undefined keeps all in memory. */
  readonly folder: string | undefined;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** A proxy in front ends TLS. */
  readonly behindProxy?: boolean;
  /** Origins of web pages whose devices may ask, as "https://app.example"; "*" for all. */
  readonly allowOrigins?: readonly string[];
  readonly onEvent: (event: CoordinatorEvent) => void;
};

export type RunningCoordinator = {
  readonly url: string;
  /** Bootstrap token of the operators' side; also in `<folder>/operator-token`. */
  readonly operatorToken: string;
  close(): Promise<void>;
};

/** The options ask for something unsafe. */
export class StartRefusedError extends Error {
  override readonly name = "StartRefusedError";
}

/** Another process listens on the port. */
export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
}

const loopbackHosts: readonly string[] = ["127.0.0.1", "::1", "localhost"];

/**
 * Starts a coordinator: opens the folder, takes up every open round where it stood, and listens.
 * @throws StartRefusedError, PortInUseError, DataFolderLockedError, DataFolderCorruptError, StoreFullError.
 */
export async function startCoordinator(options: StartOptions): Promise<RunningCoordinator> {
  if (!loopbackHosts.includes(options.host) && options.tls === undefined && options.behindProxy !== true) {
    throw new StartRefusedError(`${options.host} is not loopback: give --tls-key and --tls-cert, or --behind-proxy when a proxy ends TLS`);
  }
  const ports = await openPorts(options);
  const operatorToken = operatorTokenOf(options.folder, ports.random);
  const coordinator = await Coordinator.open(ports);
  const app = createHttpServer(coordinator, { operatorToken, allowOrigins: options.allowOrigins ?? [], ...(options.tls === undefined ? {} : { tls: options.tls }) });
  const close = async (): Promise<void> => {
    // Requests under way may end; a client that holds one open does not hold the coordinator.
    const grace = setTimeout(() => app.server.closeAllConnections(), closeGraceMs);
    await app.close();
    clearTimeout(grace);
    await coordinator.close();
    await ports.store.close();
  };
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await close();
    const inUse = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    throw inUse ? new PortInUseError(`port ${options.port} of ${options.host} is in use`) : cause;
  }
  coordinator.run();
  const { port } = app.server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return { url: `${options.tls === undefined ? "http" : "https"}://${host}:${port}`, operatorToken, close };
}

async function openPorts({ folder, onEvent }: StartOptions): Promise<CoordinatorPorts> {
  const clock = systemClock;
  const random = systemRandom;
  if (folder === undefined) {
    return { store: memoryStore(), blobs: memoryBlobs(), aggregator: createAggregator({ clock, random, files: memoryCheckpointFiles() }), clock, random, onEvent };
  }
  mkdirSync(folder, { recursive: true });
  const store = await openSqliteStore({ folder });
  const blobs = await openFileBlobs(join(folder, "blobs"));
  const aggregator = createAggregator({ clock, random, files: nodeCheckpointFiles(join(folder, "rounds")) });
  return { store, blobs, aggregator, clock, random, onEvent };
}

/** The operators' first token: drawn once, readable by the folder's owner alone. */
function operatorTokenOf(folder: string | undefined, random: SecureRandom): string {
  const path = folder === undefined ? undefined : join(folder, "operator-token");
  if (path !== undefined && existsSync(path)) return readFileSync(path, "utf8").trim();
  const token = base64urlFromBytes(random.bytes(32));
  if (path !== undefined) {
    writeFileSync(path, `${token}\n`, { mode: 0o600 });
    chmodSync(path, 0o600);
  }
  return token;
}
