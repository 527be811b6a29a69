import { isName, planBytesMax, populationName, taskActions, taskName, type PopulationName, type TaskAction, type TaskName } from "@tutti/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Coordinator } from "../coordinator.ts";
import { actOnTask, createTask, listModels, listTasks, showTask, uploadBlob } from "../handlers/operator.ts";
import { refuse } from "../refusal.ts";
import { answer, bearerToken, sendRefusal } from "./answer.ts";

type NamedTask = { readonly population: PopulationName; readonly task: TaskName };

/** The operators' side: every address needs the bootstrap token. */
export function addOperatorRoutes(app: FastifyInstance, coordinator: Coordinator, operatorToken: string): void {
  void app.register(
    (operator, _options, done) => {
      operator.addHook("onRequest", (request, reply, next) => {
        if (equalTokens(bearerToken(request), operatorToken)) next();
        else sendRefusal(reply, refuse("forbidden"));
      });
      operator.put("/populations/:population", async (request, reply) => {
        const name = populationOf(request);
        if (name === undefined) return sendRefusal(reply, refuse("malformed", { path: "/population", detail: "A population's name is lower-case letters, digits and hyphens." }));
        return answer(reply, (await coordinator.addPopulation(name)).keys);
      });
      operator.post("/blobs", async (request, reply) => answer(reply, await uploadBlob(coordinator, request.raw, Number(request.headers["content-length"] ?? Number.NaN))));
      operator.get("/populations/:population/tasks", async (request, reply) => answer(reply, listTasks(coordinator, populationOf(request))));
      operator.post("/populations/:population/tasks", { bodyLimit: planBytesMax }, async (request, reply) =>
        answer(reply, await createTask(coordinator, populationOf(request), request.body)),
      );
      operator.get("/populations/:population/tasks/:task", async (request, reply) => answer(reply, await showTask(coordinator, namedTask(request))));
      for (const action of taskActions) addAction(operator, coordinator, action);
      operator.get("/populations/:population/tasks/:task/models", async (request, reply) => answer(reply, await listModels(coordinator, namedTask(request))));
      done();
    },
    { prefix: "/v1/operator" },
  );
}

function addAction(operator: FastifyInstance, coordinator: Coordinator, action: TaskAction): void {
  operator.post(`/populations/:population/tasks/:task([^:]+)::${action}`, async (request, reply) => answer(reply, await actOnTask(coordinator, namedTask(request), action)));
}

function populationOf(request: FastifyRequest): PopulationName | undefined {
  const { population } = request.params as { population: string };
  return isName(population) ? populationName(population) : undefined;
}

function namedTask(request: FastifyRequest): NamedTask | undefined {
  const { task } = request.params as { task: string };
  const population = populationOf(request);
  return population !== undefined && isName(task) ? { population, task: taskName(task) } : undefined;
}

/** Compares digests, so that neither length nor content shows in the time taken. */
function equalTokens(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
