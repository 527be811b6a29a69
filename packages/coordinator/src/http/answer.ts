import { errorCodes } from "@tutti/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { errorBody, isRefusal, type Refusal } from "../refusal.ts";

/** The token of `Authorization: Bearer`, empty when there is none. */
export function bearerToken(request: FastifyRequest): string {
  const header = request.headers.authorization ?? "";
  return header.startsWith("Bearer ") ? header.slice("Bearer ".length) : "";
}

export function answer(reply: FastifyReply, outcome: object): FastifyReply {
  return isRefusal(outcome) ? sendRefusal(reply, outcome) : reply.send(outcome);
}

export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.retryAfterMs !== undefined) reply.header("retry-after", String(Math.ceil(refusal.retryAfterMs / 1000)));
  return reply.code(errorCodes[refusal.code].status).send(errorBody(refusal));
}
