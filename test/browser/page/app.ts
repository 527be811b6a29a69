import type { BrowserDeviceOptions } from "@tutti/device/browser";
import type { BatchSource } from "@tutti/engine";

/** What an app knows of its population, served beside its page: coordinator, pinned keys, policy. */
export const settings = await answerOf<BrowserDeviceOptions>("/settings.json");

export const watchWindows = { collection: "watch-windows", schemaVersion: 1 } as const;

/** What this page's person recorded; here the person whom the page's address names. */
export async function recordedExamples(): Promise<BatchSource> {
  const { exampleCount, inputs, targets } = await answerOf<{ exampleCount: number; inputs: number[]; targets: number[] }>(`/examples.json${location.search}`);
  return { exampleCount, inputs: Float32Array.from(inputs), targets: Int32Array.from(targets) };
}

export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} "${id}"`);
  return found;
}

async function answerOf<T>(address: string): Promise<T> {
  return (await (await fetch(address)).json()) as T;
}
