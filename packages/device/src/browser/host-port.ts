import type { ParticipationOutcome } from "../device.ts";
import type { DeviceCalls, FromHost, OpenMessage, ToHost } from "./worker-messages.ts";

/** What goes with a call besides its arguments. */
export type CallOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly onOutcome?: ((outcome: ParticipationOutcome) => void) | undefined;
  readonly transfer?: Transferable[];
};

/** A call that waits for its answer. */
type Waiting = { answer(value: unknown): void; fail(cause: Error): void; outcome(outcome: ParticipationOutcome): void };

/** The page's end of the conversation with the worker of its device. */
export class HostPort {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  /** The worker's end, until it is sent there. */
  readonly #hostPort: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  readonly #opened = Promise.withResolvers<readonly string[]>();
  #callCount = 0;
  #hasConsent = false;
  #end: Error | null = null;

  constructor(worker: Worker) {
    const { port1, port2 } = new MessageChannel();
    this.#worker = worker;
    this.#port = port1;
    this.#hostPort = port2;
    port1.addEventListener("message", ({ data }: MessageEvent<FromHost>) => this.#hear(data));
    port1.start();
    worker.addEventListener("error", ({ message }) => this.#stop(new Error(`the device's worker failed: ${message ?? "it could not be loaded"}`)));
  }

  get hasConsent(): boolean {
    return this.#hasConsent;
  }

  /** The engines that run in the worker, once it is ready. */
  open(message: OpenMessage): Promise<readonly string[]> {
    this.#worker.postMessage(message, [this.#hostPort]);
    return this.#opened.promise;
  }

  tell(message: ToHost, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /** Asks the worker. Rejects where it fails, or is closed before it answers. */
  async call<Name extends keyof DeviceCalls>(name: Name, args: Parameters<DeviceCalls[Name]>, { signal, onOutcome, transfer }: CallOptions = {}): Promise<Awaited<ReturnType<DeviceCalls[Name]>>> {
    if (this.#end !== null) throw this.#end;
    const id = this.#callCount++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { answer: resolve, fail: reject, outcome: (outcome) => onOutcome?.(outcome) });
    this.#port.postMessage({ kind: "call", id, name, args }, transfer ?? []);
    const abort = (): void => this.tell({ kind: "abort", id });
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      // The worker is of the same build: its answer has the type that the call's name gives.
      return (await promise) as Awaited<ReturnType<DeviceCalls[Name]>>;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#stop(new Error("the device is closed"));
  }

  #hear(message: FromHost): void {
    switch (message.kind) {
      case "opened":
        this.#opened.resolve(message.engines);
        break;
      case "refused":
        this.#stop(new Error(message.cause));
        break;
      case "consent":
        this.#hasConsent = message.isGiven;
        break;
      case "answer":
        this.#waiting.get(message.id)?.answer(message.value);
        break;
      case "fault":
        this.#waiting.get(message.id)?.fail(new Error(message.cause));
        break;
      case "outcome":
        this.#waiting.get(message.id)?.outcome(message.outcome);
        break;
    }
  }

  #stop(end: Error): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#worker.terminate();
    this.#port.close();
    this.#opened.reject(end);
    for (const waiting of this.#waiting.values()) waiting.fail(end);
  }
}
