import { assert, instantMs, unreachable, type SecureRandom } from "@tutti/base";
import { populationName } from "@tutti/protocol";
import { createDevice, type Device } from "../device.ts";
import { causeText } from "../ending.ts";
import { defaultPolicy } from "../policy.ts";
import { openBrowserDatabase } from "./browser-database.ts";
import { browserPlatform } from "./browser-platform.ts";
import { browserRandom } from "./browser-random.ts";
import { browserTrainer, messageTurn } from "./browser-trainer.ts";
import { Consent } from "./consent.ts";
import { fetchKernels, shippedKernels } from "./kernel-files.ts";
import { ToldConditions } from "./told-conditions.ts";
import type { CallMessage, FromHost, OpenMessage, ToHost } from "./worker-messages.ts";

/** What an app may replace in the worker that it brings itself. */
export type HostPorts = { readonly random: SecureRandom; pause(): Promise<void> };

/**
 * Makes this worker the home of a page's device: all of a participation happens here, so that the page's
 * thread never downloads, decodes, trains or encrypts. The page gives conditions and asks; nothing else crosses.
 */
export function hostDevice(ports: Partial<HostPorts> = {}): void {
  addEventListener("message", ({ data, ports: [port] }: MessageEvent<OpenMessage>) => {
    assert(port !== undefined, "a page sends its port along");
    open(new PagePort(port), data, { random: browserRandom, pause: messageTurn(), ...ports }).catch((cause: unknown) => new PagePort(port).tell({ kind: "refused", cause: causeText(cause) }));
  }, { once: true });
}

/** The page at the other end. */
class PagePort {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  tell(message: FromHost): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    this.#port.postMessage(message);
  }

  listen(heard: (message: ToHost) => void): void {
    this.#port.addEventListener("message", ({ data }: MessageEvent<ToHost>) => heard(data));
    this.#port.start();
  }
}

async function open(page: PagePort, { settings, conditions: start }: OpenMessage, ports: HostPorts): Promise<void> {
  const { population, coordinatorUrl, keys, policy, numerics, memoryBytesMax, kernelUrls, ...rest } = settings;
  const conditions = new ToldConditions({ ...start, consent: false });
  const database = await openBrowserDatabase(`tutti/${population}`);
  const consent = await Consent.open(database, (isGiven) => {
    conditions.tell({ consent: isGiven });
    page.tell({ kind: "consent", isGiven });
  });
  const kernels = await fetchKernels(kernelUrls ?? shippedKernels);
  const trainer = browserTrainer({ kernels, numerics, memoryBytesMax }, { pause: () => ports.pause(), now: () => instantMs(Date.now()) });
  const platform = browserPlatform({ database, trainer, conditions, random: ports.random });
  const device = createDevice({ ...rest, population: populationName(population), coordinatorUrl, keys, platform, policy: { ...defaultPolicy, ...policy } });
  const host = new DeviceHost({ page, device, consent });
  page.listen((message) => {
    if (message.kind === "conditions") conditions.tell(message.conditions);
    else host.hear(message);
  });
  page.tell({ kind: "opened", engines: trainer.engines });
}

type Hosted = { readonly page: PagePort; readonly device: Device; readonly consent: Consent };

/** Answers a page's calls. */
class DeviceHost {
  readonly #hosted: Hosted;
  readonly #running = new Map<number, AbortController>();

  constructor(hosted: Hosted) {
    this.#hosted = hosted;
  }

  hear(message: Exclude<ToHost, { kind: "conditions" }>): void {
    if (message.kind === "abort") this.#running.get(message.id)?.abort();
    else void this.#answer(message);
  }

  async #answer(message: CallMessage): Promise<void> {
    const { page } = this.#hosted;
    const { id } = message;
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      page.tell({ kind: "answer", id, value: await this.#perform(message, controller.signal) });
    } catch (cause) {
      page.tell({ kind: "fault", id, cause: causeText(cause) });
    } finally {
      this.#running.delete(id);
    }
  }

  #perform(message: CallMessage, signal: AbortSignal): Promise<unknown> {
    const { page, device, consent } = this.#hosted;
    switch (message.name) {
      case "participate":
        return device.participate(signal);
      case "run":
        return device.run(signal, (outcome) => page.tell({ kind: "outcome", id: message.id, outcome }));
      case "ledger":
        return device.ledger();
      case "forget":
        return device.forget();
      case "setConsent":
        return consent.set(...message.args);
      case "addExamples":
        return device.examples.add(...message.args);
      case "countExamples":
        return device.examples.count(...message.args);
      case "eraseExamples":
        return device.examples.erase(...message.args);
      default:
        return unreachable(message);
    }
  }
}

