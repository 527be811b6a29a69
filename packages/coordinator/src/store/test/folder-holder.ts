import { openSqliteStore } from "../sqlite-store.ts";
import { round, withRound } from "./rows.ts";

/** Another coordinator: takes the folder of its argument, hands out 500 places, says so, and lives until it is killed. */
const [, , folder = ""] = process.argv;
const store = await openSqliteStore({ folder });
await withRound(store);
await Promise.all(Array.from({ length: 500 }, (_, slot) => store.addAssignment({ round: round(0), slot, requestId: `request-${slot}` })));
process.stdout.write("held\n");
process.stdin.resume();
