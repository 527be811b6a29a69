import type { FastifyInstance } from "fastify";

/** What a device of another origin sends and reads, beyond what a browser allows of itself. */
const preflightHeaders = {
  "access-control-allow-methods": "GET, POST, PUT",
  "access-control-allow-headers": "authorization, content-type, range",
  /** Two hours, the longest that Chromium keeps one. */
  "access-control-max-age": "7200",
} as const;
const readableHeaders = "content-range, etag, retry-after";

/** Every address of the device protocol, as wide as a preflight needs them; no operators' address is below one. */
const deviceAddresses = ["/v1/populations/*", "/v1/assignments", "/v1/assignments/*", "/v1/blobs/*", "/v1/reports/*"];

/**
 * Lets the pages of `origins` speak the device protocol from a browser (CORS, Fetch standard 3.2); "*" lets
 * every page. Without an origin nothing changes. It protects nobody from other clients: no cookie is ever
 * taken, and what a request may do is decided by its token alone.
 * @param devices holds the device routes and nothing else: hooks of it reach no operators' route.
 */
export function allowOrigins(devices: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const isForAll = origins.includes("*");
  devices.addHook("onRequest", (request, reply, done) => {
    const { origin } = request.headers;
    if (!isForAll) reply.header("vary", "Origin");
    if (origin !== undefined && (isForAll || origins.includes(origin))) {
      reply.header("access-control-allow-origin", isForAll ? "*" : origin).header("access-control-expose-headers", readableHeaders);
    }
    done();
  });
  for (const address of deviceAddresses) devices.options(address, (_request, reply) => reply.code(204).headers(preflightHeaders).send());
}
