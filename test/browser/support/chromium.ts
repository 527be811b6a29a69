import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

/** No sandbox: containers have none; no call home: a test talks to loopback alone. */
const args = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** A headless Chromium with a fresh profile. @param path as `requiresChromium` found it. */
export function openChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args, headless: true });
}

/** A page of one profile, and all that it complained of: to its console, by an exception, or of a worker. */
export type WatchedPage = { readonly page: Page; readonly complaints: readonly string[] };

/** Opens `address` in a tab of `profile`. */
export async function openPage(profile: BrowserContext, address: string): Promise<WatchedPage> {
  const page = await profile.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  return { page, complaints };
}
