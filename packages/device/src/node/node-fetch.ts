import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Fetch } from "../platform.ts";

/** node:http with kept-alive connections that all devices of the process share; idle sockets close after a second. */
export function nodeFetch(socketsMax = 64): Fetch {
  const options = { keepAlive: true, maxSockets: socketsMax, timeout: 60_000 };
  const http = new HttpAgent(options);
  const https = new HttpsAgent(options);
  return ({ method, url, headers, body, signal }) => new Promise((resolve, reject) => {
    const isSecure = url.startsWith("https:");
    const length: Record<string, string> = body === null ? {} : { "content-length": String(body.length) };
    const settings = { method, headers: { ...headers, ...length }, agent: isSecure ? https : http, signal };
    const outgoing = (isSecure ? httpsRequest : httpRequest)(url, settings, (incoming) => {
      const header = (name: string): string | undefined => {
        const value = incoming.headers[name];
        return typeof value === "string" ? value : value?.join(", ");
      };
      resolve({ status: incoming.statusCode ?? 0, header, body: incoming as AsyncIterable<Uint8Array> });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no byte for a minute")));
    outgoing.on("error", reject);
    outgoing.end(body ?? undefined);
  });
}
