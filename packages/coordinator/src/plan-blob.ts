import { assert, textFromUtf8 } from "@tutti/base";
import { decodeJson, PlanSchema, type Plan } from "@tutti/protocol";

/** A plan that this coordinator wrote itself, read back from its blob; the blob store checked the hash. */
export function decodePlan(bytes: Uint8Array): Plan {
  const text = textFromUtf8(bytes);
  assert(text.ok, "a plan's blob is UTF-8");
  const plan = decodeJson(PlanSchema, text.value);
  assert(plan.ok, "a plan's blob matches its schema");
  return plan.value;
}
