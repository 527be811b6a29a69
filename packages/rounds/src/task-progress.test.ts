import { durationMs, instantMs } from "@tutti/base";
import type { MetricSums, TaskDocument } from "@tutti/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextAction, openTaskProgress, roundPolicyOf, stepTaskProgress, type TaskEvent, type TaskProgress } from "./task-progress.ts";
import type { Task } from "./task.ts";
import { taskDocument, taskOf } from "./test/task-document.ts";

const now = instantMs(0);
const sums = (correct: number, lossSum = 0): MetricSums => ({ count: 100, correct, lossSum, absoluteErrorSum: 0 });
const end = { counts: { assigned: 13, reported: 10, left: 1 }, durationMs: durationMs(2000), deviceTimeP90Ms: durationMs(500), at: now } as const;
const trained: TaskEvent = { ...end, kind: "round-committed", roundKind: "train", metrics: sums(50) };
const evaluated = (correct: number, lossSum = 0): TaskEvent => ({ ...end, kind: "round-committed", roundKind: "evaluate", metrics: sums(correct, lossSum) });
const abandoned = (roundKind: "train" | "evaluate"): TaskEvent => ({ ...end, kind: "round-abandoned", roundKind, reason: "too-few-reports" });

const withStop = (stop: TaskDocument["stop"], everyRounds = 2): Task =>
  taskOf({ ...taskDocument, stop, evaluation: { everyRounds, goalCount: 5, windowMs: 30_000, fractionMin: 0.4 } });

function run(task: Task, events: readonly TaskEvent[]): TaskProgress {
  return events.reduce((progress, event) => stepTaskProgress(progress, task, event), openTaskProgress());
}

/** What the shell is told to do after each event, in short. */
function walk(task: Task, events: readonly TaskEvent[]): string {
  const shown = (progress: TaskProgress): string => {
    const action = nextAction(progress, task, now);
    return action.kind === "open-round" ? action.roundKind : action.kind === "stop" ? `stop:${action.stoppedBy}` : "wait";
  };
  return Array.from({ length: events.length + 1 }, (_, count) => shown(run(task, events.slice(0, count)))).join(" ");
}

test("an evaluation follows every second training round", () => {
  expect(walk(withStop({}), [trained, trained, evaluated(1), trained, trained])).toBe("train train evaluate train train evaluate");
});

test("a committed training round releases a step; an evaluation and an abandoned round do not", () => {
  const progress = run(withStop({}), [trained, abandoned("train"), abandoned("train"), trained, evaluated(10)]);
  expect(progress).toMatchObject({ step: 2, trainRoundsCommitted: 2, nextRound: 5, abandonedInARow: 0 });
  expect(run(withStop({}), [trained, abandoned("train"), abandoned("train")]).abandonedInARow).toBe(2);
});

test("an abandoned evaluation holds up nothing: training goes on, and the next one comes in its turn", () => {
  expect(walk(withStop({}), [trained, trained, abandoned("evaluate"), trained, trained])).toBe("train train evaluate train train evaluate");
});

describe("stop rules", () => {
  test("by rounds, after a last evaluation even where none was due", () => {
    expect(walk(withStop({ rounds: 3 }), [trained, trained, evaluated(1), trained, evaluated(2)])).toBe("train train evaluate train evaluate stop:rounds");
  });

  test("by rounds, without an evaluation or when the last one was abandoned", () => {
    const { evaluation: _, ...plain } = taskDocument;
    expect(walk(taskOf({ ...plain, stop: { rounds: 1 } }), [trained])).toBe("train stop:rounds");
    expect(walk(withStop({ rounds: 2 }), [trained, trained, abandoned("evaluate")])).toBe("train train evaluate stop:rounds");
  });

  test("by a target that more of the metric reaches, and by one that less of it reaches", () => {
    expect(walk(withStop({ target: { metric: "accuracy", atLeast: 0.9 } }, 1), [trained, evaluated(89), trained, evaluated(90)])).toBe("train evaluate train evaluate stop:target");
    expect(walk(withStop({ target: { metric: "loss", atMost: 0.5 } }, 1), [trained, evaluated(0, 51), trained, evaluated(0, 50)])).toBe("train evaluate train evaluate stop:target");
  });

  test("the metrics of training rounds reach no target", () => {
    expect(run(withStop({ target: { metric: "accuracy", atLeast: 0.4 } }), [trained]).phase).toBe("running");
  });

  // delta .05: .50, then .54 (not more than .05 better), .52 and .53: three evaluations without an improvement
  test("by patience, when three evaluations are no more than delta better than the best", () => {
    const task = withStop({ patience: { evaluations: 3, delta: 0.05 }, target: { metric: "accuracy", atLeast: 1 } }, 1);
    const history = [50, 54, 52].flatMap((correct) => [trained, evaluated(correct)]);
    expect(run(task, history).phase).toBe("running");
    expect(run(task, [...history, trained, evaluated(53)])).toMatchObject({ phase: "done", stoppedBy: "patience" });
    expect(run(task, [...history, trained, evaluated(56)])).toMatchObject({ phase: "running", evaluations: { best: 0.56, sinceBest: 0 } });
  });

  test("patience without a target judges the loss, of which less is better", () => {
    const task = withStop({ patience: { evaluations: 1, delta: 0 } }, 1);
    expect(run(task, [trained, evaluated(50, 90), trained, evaluated(10, 80)]).phase).toBe("running");
    expect(run(task, [trained, evaluated(50, 90), trained, evaluated(99, 91)])).toMatchObject({ stoppedBy: "patience" });
  });

  test("an evaluation without a single prediction is no evaluation", () => {
    const empty: TaskEvent = { ...end, kind: "round-committed", roundKind: "evaluate", metrics: { count: 0, correct: 0, lossSum: 0, absoluteErrorSum: 0 } };
    expect(run(withStop({ patience: { evaluations: 1, delta: 0 } }, 1), [trained, empty, trained, empty]).evaluations).toEqual({ last: null, best: null, sinceBest: 0 });
  });

  test("by date: no round opens from that moment on, not even while paused", () => {
    const task = withStop({ date: "2030-01-01T00:00:00Z" });
    const moment = Date.UTC(2030, 0, 1);
    const paused = run(task, [{ kind: "pause" }]);
    expect(nextAction(openTaskProgress(), task, instantMs(moment - 1)).kind).toBe("open-round");
    expect(nextAction(openTaskProgress(), task, instantMs(moment))).toEqual({ kind: "stop", stoppedBy: "date" });
    expect(nextAction(paused, task, instantMs(moment))).toEqual({ kind: "stop", stoppedBy: "date" });
    expect(stepTaskProgress(paused, task, { kind: "time-passed", at: instantMs(moment) })).toMatchObject({ phase: "done", stoppedBy: "date" });
  });
});

describe("the operator", () => {
  const task = withStop({ rounds: 3 });

  test("pauses and resumes, as often as they like", () => {
    expect(walk(task, [{ kind: "pause" }, { kind: "pause" }, { kind: "resume" }, { kind: "resume" }])).toBe("train wait wait train train");
  });

  test("halts for good: nothing resumes the task", () => {
    expect(walk(task, [{ kind: "halt" }, { kind: "resume" }])).toBe("train stop:operator stop:operator");
  });

  test("cannot halt what is done", () => {
    const done = run(withStop({ target: { metric: "accuracy", atLeast: 0.5 } }, 1), [trained, evaluated(60)]);
    for (const kind of ["pause", "resume", "halt"] as const) expect(stepTaskProgress(done, task, { kind })).toBe(done);
  });

  test("does not lose the round that ends after a pause or a halt", () => {
    expect(run(task, [{ kind: "pause" }, trained])).toMatchObject({ phase: "paused", step: 1, nextRound: 1 });
    expect(run(task, [{ kind: "halt" }, trained])).toMatchObject({ phase: "halted", step: 1, nextRound: 1 });
  });
});

describe("what the rounds teach", () => {
  const task = withStop({});

  test("a task's next policy follows the dropout and the device time of its training rounds", () => {
    const lossy: TaskEvent = { ...end, kind: "round-committed", roundKind: "train", metrics: sums(1), counts: { assigned: 14, reported: 10, left: 4 }, deviceTimeP90Ms: durationMs(40_000) };
    const progress = run(task, [lossy, lossy, lossy]);
    // p = 4/14: 10 · 14/10 + 2·√(10 · 4/14) = 14 + 3.38 = 17.4, clamped to 1.6 · 10; window 2 · 40 s
    expect(roundPolicyOf(task, "train", progress)).toMatchObject({ assignedTarget: 16, reportingWindowMs: 80_000 });
    expect(roundPolicyOf(task, "train", openTaskProgress())).toMatchObject({ assignedTarget: 13, reportingWindowMs: 600_000 });
  });

  test("a round that failed for another reason, and an evaluation, teach nothing", () => {
    const failed: TaskEvent = { ...end, kind: "round-abandoned", roundKind: "train", reason: "sum-failed" };
    expect(run(task, [failed, evaluated(1)]).fleet).toEqual(openTaskProgress().fleet);
    expect(run(task, [abandoned("train")]).fleet).not.toEqual(openTaskProgress().fleet);
  });

  test("an evaluation has its own goal and windows", () => {
    expect(roundPolicyOf(task, "evaluate", openTaskProgress())).toEqual({
      goalCount: 5, assignedTarget: 5, selectionWindowMs: 30_000, selectionFractionMin: 0.4, reportingWindowMs: 30_000, reportingFractionMin: 0.4,
    });
  });
});

const anyEvent = fc.oneof(
  { weight: 6, arbitrary: fc.constant(trained) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 100 }).map((correct) => evaluated(correct)) },
  { weight: 2, arbitrary: fc.constantFrom(abandoned("train"), abandoned("evaluate")) },
  { weight: 1, arbitrary: fc.constantFrom<TaskEvent>({ kind: "pause" }, { kind: "resume" }, { kind: "halt" }) },
);

test("whatever happens, progress survives JSON, counts its rounds and never comes back from its end", () => {
  const task = withStop({ rounds: 8, target: { metric: "accuracy", atLeast: 0.97 }, patience: { evaluations: 4, delta: 0.01 } });
  fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
    let progress = openTaskProgress();
    let rounds = 0;
    for (const event of events) {
      const isOver = progress.phase === "done" || progress.phase === "halted";
      const next = stepTaskProgress(progress, task, event);
      rounds += "roundKind" in event ? 1 : 0;
      expect(JSON.parse(JSON.stringify(next))).toEqual(next);
      expect(next.nextRound).toBe(rounds);
      expect(next.step).toBe(next.trainRoundsCommitted);
      expect(isOver && next.phase !== progress.phase).toBe(false);
      progress = next;
    }
  }));
});

test("a task with a rounds rule always ends, if its rounds do", () => {
  const task = withStop({ rounds: 5 }, 3);
  fc.assert(fc.property(fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (commits) => {
    let progress = openTaskProgress();
    let committed = 0;
    for (const isCommitted of commits) {
      const action = nextAction(progress, task, now);
      if (action.kind !== "open-round") break;
      committed += Number(isCommitted && action.roundKind === "train");
      progress = stepTaskProgress(progress, task, isCommitted ? (action.roundKind === "train" ? trained : evaluated(1)) : abandoned(action.roundKind));
    }
    expect(progress.phase === "done").toBe(committed >= 5);
  }));
});
