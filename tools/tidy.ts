// The rules of the house that neither the compiler nor the linter knows; tools/tidy/ holds one file per rule.
import { join } from "node:path";
import { tidyFaults } from "./tidy/checks.ts";
import { faultLine } from "./tidy/fault.ts";

const faults = tidyFaults(join(import.meta.dirname, ".."));
for (const fault of faults) console.error(faultLine(fault));
if (faults.length > 0) console.error(`tidy: ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
