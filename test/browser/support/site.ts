import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { build } from "vite";
import { listening } from "./listening.ts";

/** The policy that pages with a device are documented to have, and the same without WebAssembly. */
export const documentedPolicy = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
export const policyWithoutWasm = "script-src 'self'; worker-src 'self'";

/** The bundled pages in a folder of their own. */
export type SiteFiles = { readonly folder: string; remove(): void };

/** Pages at an origin. What an app's server would answer besides them is set by the test. */
export type Site = { readonly origin: string; readonly answers: Map<string, unknown>; close(): Promise<void> };

/** Bundles the pages as an app would. */
export async function buildSite(): Promise<SiteFiles> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-site-"));
  await build({ configFile: join(import.meta.dirname, "../vite.config.ts"), logLevel: "warn", build: { outDir: folder, emptyOutDir: true } });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const contentTypes: Readonly<Record<string, string>> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves the pages on a port of loopback, every answer under `policy`. */
export async function serveSite({ folder }: SiteFiles, policy: string): Promise<Site> {
  const answers = new Map<string, unknown>();
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://site");
    const told = answers.get(pathname + search) ?? answers.get(pathname);
    response.setHeader("content-security-policy", policy);
    if (told === undefined) sendFile(response, folder, pathname);
    else response.setHeader("content-type", "application/json").end(JSON.stringify(told));
  });
  const { origin, close } = await listening(server);
  return { origin, answers, close };
}

function sendFile(response: ServerResponse, folder: string, pathname: string): void {
  const path = join(folder, pathname === "/" ? "index.html" : pathname);
  try {
    response.setHeader("content-type", contentTypes[extname(path)] ?? "application/octet-stream").end(readFileSync(path));
  } catch {
    response.writeHead(404).end();
  }
}
