import type { Partition } from "@tutti/simulator";
import { UsageError, type Arguments, type OptionSpec } from "./arguments.ts";
import { partClientsMax } from "./limits.ts";

const clientCountDefault = 100;
const heldOutClientCountDefault = 10;
const seedMax = 2 ** 31;

/** How the examples of a data set are dealt to clients. */
export const partitionOptions: readonly OptionSpec[] = [
  { name: "partition", value: "HOW", text: "who holds which examples: natural, iid, shards:K (K labels or so each) or dirichlet:ALPHA (natural)" },
  { name: "clients", value: "N", text: `clients that train, unless natural (${clientCountDefault})` },
  { name: "held-out-clients", value: "N", text: `clients that evaluate, unless natural (${heldOutClientCountDefault})` },
  { name: "seed", value: "N", text: "seed of all that is drawn (1)" },
];

/** @throws UsageError naming the option. */
export function partitionOf(args: Arguments): Partition {
  const text = args.text("partition") ?? "natural";
  const [kind = "", value] = text.split(":");
  const clientCount = args.integer("clients", { min: 1, max: partClientsMax });
  const heldOutClientCount = args.integer("held-out-clients", { min: 1, max: partClientsMax });
  if (text === "natural" && (clientCount ?? heldOutClientCount) !== undefined) throw new UsageError("--clients is for --partition iid, shards:K or dirichlet:ALPHA: a natural partition has the clients of the data");
  const dealt = { clientCount: clientCount ?? clientCountDefault, heldOutClientCount: heldOutClientCount ?? heldOutClientCountDefault };
  if (text === "natural") return { kind: "natural" };
  if (text === "iid") return { kind: "iid", ...dealt };
  if (kind === "shards" && /^[1-9]\d{0,3}$/.test(value ?? "")) return { kind, shardsPerClient: Number(value), ...dealt };
  if (kind === "dirichlet" && Number(value) >= 1e-3 && Number(value) <= 1e6) return { kind, alpha: Number(value), ...dealt };
  throw new UsageError(`--partition ${text}: expected natural, iid, shards:K or dirichlet:ALPHA with ALPHA from 0.001 to 1000000`);
}

export function seedOf(args: Arguments): number {
  return args.integer("seed", { min: 0, max: seedMax }) ?? 1;
}
