import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

/** PyTorch on one thread in a process of its own, its BLAS told to use AVX2: what it picks itself was slower on AVX-512. */
const environment = { ...process.env, OPENBLAS_CORETYPE: "Haswell", OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" };
const pythons = ["python3", "/usr/bin/python3"];

export class Pytorch {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(python: string) {
    const child = spawn(python, [join(import.meta.dirname, "pytorch.py")], { env: environment, stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
  }

  /** null where no Python of this machine has it. */
  static start(): Pytorch | null {
    const python = pythons.find((name) => hasTorch(name));
    return python === undefined ? null : new Pytorch(python);
  }

  /** CPU milliseconds of one local pass of a task. */
  async passMs(task: string): Promise<number> {
    const answer = once(this.#lines, "line");
    this.#child.stdin?.write(`${task}\n`);
    const [line] = (await answer) as [string];
    return Number(line);
  }

  stop(): void {
    this.#child.kill();
  }
}

function hasTorch(python: string): boolean {
  try {
    execFileSync(python, ["-c", "import torch"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
