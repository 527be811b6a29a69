import type { BatchSource } from "@tutti/engine";
import type { DeviceOptions, ParticipationOutcome } from "../device.ts";
import type { LedgerEntry } from "../ledger.ts";
import { HostPort } from "./host-port.ts";
import { engineBytesDefault } from "./limits.ts";
import { defaultRules, watchPage, type ConditionRules } from "./page-conditions.ts";
import type { DeviceCalls, HostSettings } from "./worker-messages.ts";

export type BrowserDeviceOptions = Omit<DeviceOptions, "platform" | "population" | "policy"> & {
  readonly population: string;
  /** Over the device's defaults: `{ allowPlain: true }` to give reports that the coordinator can read. */
  readonly policy?: HostSettings["policy"];
  /** Over the page's defaults. */
  readonly conditions?: Partial<ConditionRules>;
  readonly numerics?: HostSettings["numerics"];
  readonly memoryBytesMax?: number;
  /** Where the engine's kernels lie, if the bundler does not serve them by itself. */
  readonly kernelUrls?: NonNullable<HostSettings["kernelUrls"]>;
  /** Starts a worker of the app's own, which calls `hostDevice`. */
  readonly worker?: () => Worker;
};

/** A device in a web page: the same in all tabs of a profile. */
export type BrowserDevice = {
  /** Engines that run here, best first. */
  readonly engines: readonly string[];
  /** Whether the person agrees to take part; kept with the profile, false until they do. */
  hasConsent(): boolean;
  /** Withdrawn, it stops what runs, in every tab, before the next minibatch. */
  setConsent(isGiven: boolean): Promise<void>;
  /** @see Device.participate */
  participate(signal?: AbortSignal): Promise<ParticipationOutcome>;
  /** @see Device.run */
  run(signal: AbortSignal, onOutcome?: (outcome: ParticipationOutcome) => void): Promise<void>;
  ledger(): Promise<readonly LedgerEntry[]>;
  readonly examples: {
    /** Keeps a copy of the batch. @see ExampleStore.add */
    add(collection: string, schemaVersion: number, batch: BatchSource): ReturnType<DeviceCalls["addExamples"]>;
    count(query: Parameters<DeviceCalls["countExamples"]>[0]): Promise<number>;
    erase(collection?: string): Promise<void>;
  };
  /** @see Device.forget  Consent stays as the person set it. */
  forget(): ReturnType<DeviceCalls["forget"]>;
  /** Ends the worker, and with it whatever runs. */
  close(): void;
};

/**
 * A device in a web page. Its participations run in a worker; this thread only watches the page.
 * Rejects where the page can have no device: without IndexedDB or a module worker, or where the kernels are no kernels.
 */
export async function createBrowserDevice(options: BrowserDeviceOptions): Promise<BrowserDevice> {
  const { conditions, worker = startWorker, policy = {}, numerics = "fast", memoryBytesMax = engineBytesDefault, kernelUrls = null, ...rest } = options;
  let told: HostPort | null = null;
  const page = await watchPage({ ...defaultRules, ...conditions }, (now) => told?.tell({ kind: "conditions", conditions: now }));
  const host = new HostPort(worker());
  told = host;
  try {
    const engines = await host.open({ settings: { ...rest, policy, numerics, memoryBytesMax, kernelUrls }, conditions: page.current() });
    return deviceOf(host, engines, () => page.dispose());
  } catch (cause) {
    page.dispose();
    host.close();
    throw cause;
  }
}

/** In the very form that bundlers know; the file is TypeScript in a checkout and JavaScript in a package. */
function startWorker(): Worker {
  return new Worker(new URL("./device-worker.js", import.meta.url), { type: "module", name: "tutti" });
}

function deviceOf(host: HostPort, engines: readonly string[], onClose: () => void): BrowserDevice {
  return {
    engines,
    hasConsent: () => host.hasConsent,
    setConsent: (isGiven) => host.call("setConsent", [isGiven]),
    participate: (signal) => host.call("participate", [], { signal }),
    run: (signal, onOutcome) => host.call("run", [], { signal, onOutcome }),
    ledger: () => host.call("ledger", []),
    examples: {
      add: (collection, schemaVersion, { exampleCount, inputs, targets }) => {
        // A clone of a view would carry the whole buffer behind it; a copy of its own can be given away.
        const batch = { exampleCount, inputs: inputs.slice(), targets: targets.slice() };
        return host.call("addExamples", [collection, schemaVersion, batch], { transfer: [batch.inputs.buffer, batch.targets.buffer] });
      },
      count: (query) => host.call("countExamples", [query]),
      erase: (collection) => host.call("eraseExamples", [collection]),
    },
    forget: () => host.call("forget", []),
    close: () => {
      onClose();
      host.close();
    },
  };
}
