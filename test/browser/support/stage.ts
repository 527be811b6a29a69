import type { BatchSource } from "@tutti/engine";
import { openPopulation } from "@tutti/simulator";
import type { Browser, BrowserContext } from "playwright-core";
import type { Lab, LabExamples, LabOptions } from "../page/lab.ts";
import { openChromium, openPage, type WatchedPage } from "./chromium.ts";
import { policy, population, startTask, type TaskWorld } from "./coordinator.ts";
import { buildSite, documentedPolicy, serveSite, type Site, type SiteFiles } from "./site.ts";

declare const lab: Lab;

/** The bundled pages and a browser for all tests of a file, and whatever one test started: `clear` ends that. */
export class Stage {
  readonly #files: SiteFiles;
  readonly #ends: (() => Promise<void>)[] = [];
  #browser: Browser | null = null;

  private constructor(files: SiteFiles) {
    this.#files = files;
  }

  static async build(): Promise<Stage> {
    return new Stage(await buildSite());
  }

  async site(contentPolicy = documentedPolicy): Promise<Site> {
    return this.ended(await serveSite(this.#files, contentPolicy));
  }

  async task(...start: Parameters<typeof startTask>): Promise<TaskWorld> {
    return this.ended(await startTask(...start));
  }

  /** A new profile: another person's browser, with nothing stored. @param path of Chromium. */
  async profile(path: string): Promise<BrowserContext> {
    this.#browser ??= await openChromium(path);
    return this.ended(await this.#browser.newContext());
  }

  ended<T extends { close(): Promise<void> }>(part: T): T {
    this.#ends.push(() => part.close());
    return part;
  }

  async clear(): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end();
  }

  async remove(): Promise<void> {
    await this.#browser?.close();
    this.#files.remove();
  }
}

/** The first synthetic watch wearers' examples. */
export async function watchPeople(count: number): Promise<readonly BatchSource[]> {
  const { people } = await openPopulation({ kind: "synthetic", collection: "watch-windows", seed: 1, trainingCountMin: count });
  return people.slice(0, count).map((person) => person.examples());
}

/** Examples as JSON carries them into a page. */
export function plainExamples({ exampleCount, inputs, targets }: BatchSource, collection = "watch-windows"): LabExamples {
  return { collection, exampleCount, inputs: [...inputs], targets: [...targets] };
}

/** A page of the test bench with a device, whose person agreed to take part and gave these examples. */
export async function openDevice(profile: BrowserContext, { origin }: Site, options: Partial<LabOptions> & Pick<LabOptions, "coordinatorUrl" | "keys">, examples?: LabExamples): Promise<WatchedPage & { readonly engines: readonly string[] }> {
  const watched = await openPage(profile, `${origin}/lab.html`);
  const { page } = watched;
  const all: LabOptions = { population, policy, conditions: { idleWhile: "visible" }, ...options };
  const engines = await page.evaluate((told) => lab.open(told), all);
  if (examples !== undefined) {
    await page.evaluate(() => lab.device().setConsent(true));
    await page.evaluate((given) => lab.add(given), examples);
  }
  return { ...watched, engines };
}
