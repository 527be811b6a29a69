import { durationMs, unreachable } from "@tutti/base";
import { nextAction } from "@tutti/rounds";
import { abandonRound, commitRound } from "./commit.ts";
import { worldFailureRetryMs } from "./limits.ts";
import type { LiveRound } from "./live-round.ts";
import { openRound } from "./open-round.ts";
import type { TaskRun } from "./task-run.ts";

/**
 * One task's walk, for as long as it runs. A round is opened (its plan signed, its blobs stored),
 * devices check in and are assigned (handlers/check-in, handlers/assignment), download (handlers/blob),
 * train, and report into the round's sum (handlers/report); the round's reducer closes it; the sum is
 * committed as a new model version, or discarded. Returns when the task stops.
 */
export async function runTask(run: TaskRun): Promise<void> {
  while (!run.stopping.aborted) {
    try {
      const goesOn = await runRound(run);
      if (!goesOn) return;
    } catch (cause) {
      if (run.stopping.aborted) return;
      await waitForTheWorld(run, cause);
    }
  }
}

/** One turn of the walk. False when the task has stopped for good. */
async function runRound(run: TaskRun): Promise<boolean> {
  // Open since before a crash, or since a turn that the world made fail.
  if (run.live !== undefined) {
    await closeRound(run, run.live);
    return true;
  }
  const action = nextAction(run.progress, run.task, run.ports.clock.now());
  switch (action.kind) {
    case "stop":
      await run.stop(action.stoppedBy);
      return false;
    case "wait":
      await run.changed();
      return true;
    case "open-round":
      run.takeUp(await openRound(run, action.roundKind));
      return true;
    default:
      return unreachable(action);
  }
}

async function closeRound(run: TaskRun, round: LiveRound): Promise<void> {
  const end = await run.untilStopping(round.ended);
  await round.saved();
  switch (end.kind) {
    case "commit":
      await commitRound(run, round);
      break;
    case "discard-sum":
      await abandonRound(run, round, end.reason);
      break;
    default:
      unreachable(end);
  }
  run.letGo();
  // What is left of it is removed at the next start, and nothing opens it: its key is gone.
  await round.sum.discard();
}

/** The disk is full or the store is away: nothing was changed, and the same turn is tried again. */
async function waitForTheWorld(run: TaskRun, cause: unknown): Promise<void> {
  const { population, task } = run.row;
  run.ports.onEvent({ kind: "world-failed", population, task, cause: String(cause), retryMs: worldFailureRetryMs });
  await run.ports.clock.sleep(durationMs(worldFailureRetryMs), run.stopping).catch(() => undefined);
}
