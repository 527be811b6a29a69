import type { Sha256Hex } from "@tutti/base";
import type { AssignmentId, PopulationName, TaskName } from "./ids.ts";
import type { TaskAction } from "./operator.ts";

/** Every address of the device protocol and of the operators' side, in one place. */
export const routes = {
  devices: (population: PopulationName) => `/v1/populations/${population}/devices`,
  keys: (population: PopulationName) => `/v1/populations/${population}/keys`,
  checkIns: (population: PopulationName) => `/v1/populations/${population}/check-ins`,
  assignments: () => "/v1/assignments",
  abort: (assignment: AssignmentId) => `/v1/assignments/${assignment}:abort`,
  blob: (hash: Sha256Hex) => `/v1/blobs/${hash}`,
  report: (assignment: AssignmentId) => `/v1/reports/${assignment}`,
  blobs: () => "/v1/operator/blobs",
  population: (population: PopulationName) => `/v1/operator/populations/${population}`,
  tasks: (population: PopulationName) => `/v1/operator/populations/${population}/tasks`,
  task: (population: PopulationName, task: TaskName) => `/v1/operator/populations/${population}/tasks/${task}`,
  taskAction: (population: PopulationName, task: TaskName, action: TaskAction) => `/v1/operator/populations/${population}/tasks/${task}:${action}`,
  models: (population: PopulationName, task: TaskName) => `/v1/operator/populations/${population}/tasks/${task}/models`,
} as const;

/** Content types of the wire. */
export const contentTypes = { json: "application/json", safetensors: "application/vnd.safetensors" } as const;
