import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "../../..");
const main = join(root, "packages/cli/src/main.ts");

/** A real coordinator on a data folder, in a process of its own: `tutti serve`, started again as often as it is killed. */
export class CoordinatorProcess {
  readonly folder: string;
  readonly #population: string;
  #child: ChildProcess | undefined;
  #url = "";
  #operatorToken = "";

  constructor(folder: string, population: string) {
    this.folder = folder;
    this.#population = population;
  }

  get url(): string {
    return this.#url;
  }

  get operatorToken(): string {
    return this.#operatorToken;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const words = ["--conditions=@tutti/source", main, "serve", "--folder", this.folder, "--port", "0", "--population", this.#population, "--json"];
    const child = spawn(process.execPath, words, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as { readonly kind: string; readonly url: string; readonly operatorToken: string };
      if (event.kind !== "serving") continue;
      this.#url = event.url;
      this.#operatorToken = event.operatorToken;
      // Its further events are read and forgotten, or its pipe would fill.
      child.stdout.resume();
      return;
    }
    throw new Error(`the coordinator did not start: ${errors}`);
  }

  /** SIGKILL: no handler runs, no buffer is flushed. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** The end that an operator asks for. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
}
