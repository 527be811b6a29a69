import type { BatchSource } from "@tutti/engine";
import type { Eligibility } from "@tutti/protocol";

/** One person of a population, whose device holds their examples and nobody else's. */
export type Person = {
  readonly id: string;
  /** Whether they train, or only evaluate: held-out people are never trained on. */
  readonly cohort: Eligibility["cohort"];
  /** Made anew by every call: who does not open a person's examples does not hold them. */
  readonly examples: () => BatchSource;
};

/** People and what their examples are: a collection at a schema version, as a task's `data` asks for it. */
export type Population = {
  /** For a person; made-up people are called synthetic. */
  readonly description: string;
  readonly collection: string;
  readonly schemaVersion: number;
  readonly people: readonly Person[];
};
