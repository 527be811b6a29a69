import type { SeededRandom } from "@tutti/base";
import type { ClientRows } from "./partition.ts";

/**
 * McMahan et al. (2017), section 3: rows sorted by label, cut into clientCount · shardsPerClient shards of equal
 * length, each client with `shardsPerClient` of them at random. @param labels [rows]
 */
export function shardRows(labels: ArrayLike<number>, { clientCount, shardsPerClient }: { readonly clientCount: number; readonly shardsPerClient: number }, random: SeededRandom): ClientRows {
  // A random order first: which rows of a label lie together must not follow the order of the files.
  const sorted = [...random.split("rows").permutation(labels.length)].toSorted((a, b) => (labels[a] ?? 0) - (labels[b] ?? 0));
  const length = Math.floor(labels.length / (clientCount * shardsPerClient));
  const shards = random.split("shards").permutation(clientCount * shardsPerClient);
  return Array.from({ length: clientCount }, (_, client) => Array.from({ length: shardsPerClient }, (_, i) => {
    const shard = shards[client * shardsPerClient + i] ?? 0;
    return sorted.slice(shard * length, (shard + 1) * length);
  }).flat());
}
