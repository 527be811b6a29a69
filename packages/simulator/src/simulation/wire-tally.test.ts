import { assignmentId, populationName, roundId, routes, taskName } from "@tutti/protocol";
import { expect, test } from "vitest";
import { WireTally } from "./wire-tally.ts";

const population = populationName("p");
const assignment = assignmentId(roundId(population, taskName("t"), 3), 4);

test.each([
  ["enrolment", "POST", routes.devices(population)],
  ["check-in", "POST", routes.checkIns(population)],
  ["assignment", "POST", routes.assignments()],
  ["abort", "POST", routes.abort(assignment)],
  ["report-begin", "POST", `${routes.report(assignment)}:begin`],
  ["report", "PUT", routes.report(assignment)],
])("bytes both ways are added up under the message's name: %s", (message, method, path) => {
  const tally = new WireTally();
  tally.add({ method, path, sentBytes: 3, receivedBytes: 5 });
  tally.add({ method, path, sentBytes: 10, receivedBytes: 0 });
  expect(tally.sums).toEqual([{ message, count: 2, sentBytes: 13, receivedBytes: 5 }]);
});
