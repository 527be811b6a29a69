import { assert, type Brand } from "@tutti/base";
import * as Type from "typebox";
import { nameCharactersMax } from "./limits.ts";

const namePattern = `[a-z0-9][a-z0-9-]{0,${nameCharactersMax - 1}}`;
const nameExpression = new RegExp(`^${namePattern}$`);
const roundExpression = new RegExp(`^(${namePattern})\\.(${namePattern})\\.(0|[1-9][0-9]{0,8})$`);
const assignmentExpression = new RegExp(`^(${namePattern}\\.${namePattern}\\.(?:0|[1-9][0-9]{0,8}))\\.(0|[1-9][0-9]{0,8})$`);

/** A fleet of devices that share tasks: lower-case letters, digits and hyphens. */
export type PopulationName = Brand<string, "PopulationName">;
/** A task within its population, written like a population's name. */
export type TaskName = Brand<string, "TaskName">;
/** `population.task.number`: one round of one task. */
export type RoundId = Brand<string, "RoundId">;
/** `population.task.number.slot`: one device's place in one round. Holds nothing about the device. */
export type AssignmentId = Brand<string, "AssignmentId">;

export const PopulationNameSchema = Type.Unsafe<PopulationName>(Type.String({ pattern: `^${namePattern}$` }));
export const TaskNameSchema = Type.Unsafe<TaskName>(Type.String({ pattern: `^${namePattern}$` }));
export const AssignmentIdSchema = Type.Unsafe<AssignmentId>(Type.String({ pattern: assignmentExpression.source }));

export function isName(text: string): boolean {
  return nameExpression.test(text);
}

export function populationName(text: string): PopulationName {
  assert(isName(text), "a population's name is lower-case letters, digits and hyphens");
  return text as PopulationName;
}

export function taskName(text: string): TaskName {
  assert(isName(text), "a task's name is lower-case letters, digits and hyphens");
  return text as TaskName;
}

export function roundId(population: PopulationName, task: TaskName, round: number): RoundId {
  const id = `${population}.${task}.${round}`;
  assert(roundExpression.test(id), "a round's number is an integer in 0..999999999");
  return id as RoundId;
}

export function assignmentId(round: RoundId, slot: number): AssignmentId {
  const id = `${round}.${slot}`;
  assert(assignmentExpression.test(id), "a slot is an integer in 0..999999999");
  return id as AssignmentId;
}

export function isAssignmentId(text: string): text is AssignmentId {
  return assignmentExpression.test(text);
}

/** The round and the slot that an assignment's id names. */
export function partsOfAssignment(id: AssignmentId): { readonly round: RoundId; readonly slot: number } {
  const match = assignmentExpression.exec(id);
  assert(match?.[1] !== undefined, "an assignment's id was checked when it was made");
  return { round: match[1] as RoundId, slot: Number(match[2]) };
}

/** Population, task and number that a round's id names. */
export function partsOfRound(id: RoundId): { readonly population: PopulationName; readonly task: TaskName; readonly number: number } {
  const match = roundExpression.exec(id);
  assert(match !== null, "a round's id was checked when it was made");
  return { population: match[1] as PopulationName, task: match[2] as TaskName, number: Number(match[3]) };
}
