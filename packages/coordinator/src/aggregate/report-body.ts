import { err, ok, type Result } from "@tutti/base";
import {
  decodeSafetensorsHeader, firstFault, parseJson, ReportFactsSchema, reportFactsKey, reportTensorName, safetensorsHeaderLength, safetensorsPrefixBytes,
  type AssignmentId, type ReportFacts, type SafetensorsHeader,
} from "@tutti/protocol";
import { Compile } from "typebox/compile";
import { reportHeaderBytesMax } from "../limits.ts";
import type { ReportRefusal } from "./round-sum.ts";

/** A report's body, checked but for the numbers of its delta. */
export type ReportBody = {
  /** float32 [parameterCount] as bytes: a view into the body; empty for an evaluation. */
  readonly delta: Uint8Array;
  readonly facts: ReportFacts;
};

type Expected = { readonly assignment: AssignmentId; readonly parameterCount: number };

const factsCheck = Compile(ReportFactsSchema);

/** The refusal of a body that its length alone gives away; undefined when the length can be right. */
export function lengthFault(bodyBytes: number, parameterCount: number): ReportRefusal | undefined {
  const least = 4 * parameterCount + safetensorsPrefixBytes;
  const most = least + reportHeaderBytesMax;
  return bodyBytes >= least && bodyBytes <= most ? undefined : wrongLength(parameterCount);
}

/** Splits a whole body: exactly one tensor `delta`, F32 [parameterCount], or none for an evaluation, and the facts. */
export function decodeReportBody(body: Uint8Array, { assignment, parameterCount }: Expected): Result<ReportBody, ReportRefusal> {
  const header = headerOf(body);
  if (!header.ok) return header;
  const { tensors, metadata, dataStart } = header.value;
  const facts = factsOf(metadata[reportFactsKey]);
  if (!facts.ok) return facts;
  if (facts.value.assignment !== assignment) return malformed("/report/assignment", "the assignment that the address names");
  const [tensor, ...others] = tensors;
  if (others.length > 0) return malformed("/", `one tensor, ${reportTensorName}`);
  if (tensor === undefined) return parameterCount === 0 ? ok({ delta: body.subarray(0, 0), facts: facts.value }) : malformed(`/${reportTensorName}`, "a tensor of this name");
  if (tensor.name !== reportTensorName || tensor.type !== "F32" || tensor.shape.length !== 1) return malformed(`/${tensor.name}`, `${reportTensorName}, F32 of one dimension`);
  if (tensor.shape[0] !== parameterCount) return err(wrongLength(parameterCount));
  return ok({ delta: body.subarray(dataStart + tensor.start, dataStart + tensor.end), facts: facts.value });
}

function headerOf(body: Uint8Array): Result<SafetensorsHeader, ReportRefusal> {
  const length = safetensorsHeaderLength(body);
  if (!length.ok) return length;
  const end = safetensorsPrefixBytes + length.value;
  if (end > body.length) return malformed("/", "a header inside the file");
  return decodeSafetensorsHeader(body.subarray(safetensorsPrefixBytes, end), body.length);
}

function factsOf(text: string | undefined): Result<ReportFacts, ReportRefusal> {
  if (text === undefined) return malformed("/__metadata__/report", "the report's facts");
  const parsed = parseJson(text);
  if (!parsed.ok) return malformed("/__metadata__/report", "JSON");
  if (factsCheck.Check(parsed.value)) return ok(parsed.value);
  const { path, expected } = firstFault(ReportFactsSchema, parsed.value);
  return malformed(`/report${path}`, expected);
}

function wrongLength(parameterCount: number): ReportRefusal {
  return { code: "report-wrong-length", expected: `${parameterCount} float32 numbers` };
}

function malformed(path: string, expected: string): { readonly ok: false; readonly error: ReportRefusal } {
  return err({ code: "malformed", path, expected });
}
