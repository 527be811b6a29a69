import { controlBodyBytesMax, contentTypes } from "@tutti/protocol";
import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import type { Coordinator } from "../coordinator.ts";
import { malformed, refuse, type Refusal } from "../refusal.ts";
import { StoreFullError } from "../store/store.ts";
import { allowOrigins } from "./allowed-origins.ts";
import { sendRefusal } from "./answer.ts";
import { addDeviceRoutes } from "./device-routes.ts";
import { addOperatorRoutes } from "./operator-routes.ts";

export type HttpServerOptions = {
  readonly operatorToken: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Origins of web pages whose devices may ask; "*" for all. None by default. */
  readonly allowOrigins?: readonly string[];
};

/** One router and one error path for devices and operators. The handlers know nothing of HTTP. */
export function createHttpServer(coordinator: Coordinator, options: HttpServerOptions): FastifyInstance {
  const limits = { bodyLimit: controlBodyBytesMax, routerOptions: { caseSensitive: true, maxParamLength: 256 } };
  const app: FastifyInstance = options.tls === undefined ? Fastify(limits) : Fastify({ ...limits, https: options.tls });
  app.removeContentTypeParser("text/plain");
  // Vectors are streamed into staging memory; Fastify must not collect them.
  app.addContentTypeParser(contentTypes.safetensors, (_request, payload, done) => done(null, payload));
  app.setNotFoundHandler((_request, reply) => sendRefusal(reply, refuse("not-found")));
  app.setErrorHandler<FastifyError>((fault, _request, reply) => {
    const refusal = refusalOfFault(fault);
    if (refusal.code === "internal") coordinator.reportFault(fault);
    return sendRefusal(reply, refusal);
  });
  void app.register((devices, _options, done) => {
    allowOrigins(devices, options.allowOrigins ?? []);
    addDeviceRoutes(devices, coordinator);
    done();
  });
  addOperatorRoutes(app, coordinator, options.operatorToken);
  return app;
}

/** What Fastify or a port threw, as the refusal that the caller sees. The cause itself never leaves. */
function refusalOfFault(fault: FastifyError): Refusal {
  if (fault instanceof StoreFullError) return refuse("storage-full");
  switch (fault.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return refuse("body-too-large", { detail: `At most ${controlBodyBytesMax} bytes.` });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return refuse("unsupported-media-type", { detail: `Expected ${contentTypes.json} or, for a report, ${contentTypes.safetensors}.` });
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return malformed({ path: "/", expected: "must be JSON" });
  }
  if (fault.statusCode === 400) return malformed({ path: "/", expected: "must be JSON" });
  return refuse("internal");
}
