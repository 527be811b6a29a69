import { AssertionError, durationMs, instantMs } from "@tutti/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acceptsReports, freePlaces, nextDeadline, openRound, stepRound, type Round, type RoundEffect, type RoundEvent, type RoundPolicy } from "./round.ts";
import { SlowRound } from "./test/slow-round.ts";

const policy: RoundPolicy = {
  goalCount: 10, assignedTarget: 13,
  selectionWindowMs: durationMs(1000), selectionFractionMin: 0.5, reportingWindowMs: durationMs(5000), reportingFractionMin: 0.7,
};
const at = (ms: number) => instantMs(ms);
const assigned = (deviceCount: number, ms = 0): RoundEvent => ({ kind: "devices-assigned", at: at(ms), deviceCount });
const reported = (ms = 0): RoundEvent => ({ kind: "report-added", at: at(ms) });
const left = (ms = 0): RoundEvent => ({ kind: "device-left", at: at(ms) });
const time = (ms: number): RoundEvent => ({ kind: "time-passed", at: at(ms) });
const times = (count: number, event: RoundEvent): RoundEvent[] => Array.from({ length: count }, () => event);

function run(events: readonly RoundEvent[], used = policy): { round: Round; effects: RoundEffect[] } {
  let round = openRound(used, at(0));
  const effects: RoundEffect[] = [];
  for (const event of events) {
    const step = stepRound(round, event);
    round = step.round;
    effects.push(...step.effects);
  }
  return { round, effects };
}

describe("selecting", () => {
  test("the last free place starts the reporting window at that very moment", () => {
    const { round } = run([assigned(12, 100), assigned(1, 300)]);
    expect(round).toMatchObject({ phase: "reporting", deadline: 300 + 5000 });
    expect(freePlaces(round)).toBe(0);
  });

  test("a device that leaves frees its place for another one", () => {
    const before = run([assigned(12)]).round;
    const after = run([assigned(12), left()]).round;
    expect([freePlaces(before), freePlaces(after)]).toEqual([1, 2]);
    expect(run([assigned(12), left(), assigned(2)]).round).toMatchObject({ phase: "reporting", counts: { assigned: 14, left: 1 } });
  });

  // ⌈0.5 · 13⌉ = 7
  test("the window ends with seven of thirteen places held in reporting, with six in abandonment", () => {
    expect(run([assigned(7), time(1000)]).round).toMatchObject({ phase: "reporting", deadline: 1000 + 5000 });
    expect(run([assigned(6), time(1000)])).toMatchObject({ round: { phase: "abandoned", reason: "too-few-devices" }, effects: [{ kind: "discard-sum", reason: "too-few-devices" }] });
  });

  test("devices that left do not count towards the least number", () => {
    expect(run([assigned(7), left(), time(1000)]).round.phase).toBe("abandoned");
  });

  test("a window that has not ended changes nothing", () => {
    expect(run([assigned(3), time(999)]).round).toEqual(run([assigned(3)]).round);
  });

  test("reports count before all places are taken, and the goal commits at once", () => {
    const { round, effects } = run([assigned(12), ...times(10, reported())]);
    expect(round.phase).toBe("committing");
    expect(effects).toEqual([{ kind: "commit" }]);
  });

  test("nobody is not enough, whatever the fraction", () => {
    expect(run([time(1000)], { ...policy, selectionFractionMin: 0 }).round).toMatchObject({ phase: "abandoned", reason: "too-few-devices" });
  });

  test("after a crash the shell may tell of more slots at once than there were places", () => {
    expect(run([assigned(15), left(), left()]).round).toMatchObject({ phase: "reporting", counts: { assigned: 15, left: 2 } });
  });
});

describe("reporting", () => {
  // ⌈0.7 · 10⌉ = 7
  test("the deadline commits seven of ten reports and abandons six", () => {
    expect(run([assigned(13), ...times(7, reported()), time(5000)]).round.phase).toBe("committing");
    expect(run([assigned(13), ...times(6, reported()), time(5000)]).round).toMatchObject({ phase: "abandoned", reason: "too-few-reports" });
  });

  test("the round ends as soon as the last outstanding device leaves", () => {
    const almost = [assigned(13), ...times(8, reported()), ...times(4, left())];
    expect(run(almost).round.phase).toBe("reporting");
    expect(run([...almost, left()]).effects).toEqual([{ kind: "commit" }]);
  });

  test("a round whose devices all left is abandoned without waiting", () => {
    expect(run([assigned(13), ...times(13, left())]).round).toMatchObject({ phase: "abandoned", reason: "too-few-reports" });
  });

  test("a round that enters reporting with nobody outstanding ends there", () => {
    expect(run([assigned(8), ...times(8, reported()), time(1000)]).effects).toEqual([{ kind: "commit" }]);
  });

  test("a minimal fraction of .55 of a hundred is 55, whatever binary fractions make of it", () => {
    const wide = { ...policy, goalCount: 100, assignedTarget: 130, reportingFractionMin: 0.55 };
    expect(run([assigned(130), ...times(55, reported()), time(5000)], wide).round.phase).toBe("committing");
    expect(run([assigned(130), ...times(54, reported()), time(5000)], wide).round.phase).toBe("abandoned");
  });

  test("no report at all is never a commit, whatever the fraction", () => {
    expect(run([assigned(13), time(5000)], { ...policy, reportingFractionMin: 0 }).round.phase).toBe("abandoned");
  });
});

describe("closed", () => {
  const committing = run([assigned(13), ...times(10, reported())]).round;
  const abandoned = run([time(1000)]).round;

  test("a task that stops abandons an open round and leaves a committing one alone", () => {
    expect(run([assigned(3), { kind: "task-stopped" }]).round).toMatchObject({ phase: "abandoned", reason: "task-stopped" });
    expect(stepRound(committing, { kind: "task-stopped" })).toEqual({ round: committing, effects: [] });
  });

  test("the sum's outcome ends a committing round", () => {
    expect(stepRound(committing, { kind: "sum-committed" }).round.phase).toBe("committed");
    expect(stepRound(committing, { kind: "sum-failed" })).toMatchObject({ round: { phase: "abandoned" }, effects: [{ kind: "discard-sum", reason: "sum-failed" }] });
  });

  test("late devices, reports and deadlines change nothing and cause nothing", () => {
    for (const round of [committing, abandoned]) {
      for (const event of [assigned(1), reported(), left(), time(1e9)]) expect(stepRound(round, event)).toEqual({ round, effects: [] });
      expect([freePlaces(round), acceptsReports(round), nextDeadline(round)]).toEqual([0, false, undefined]);
    }
  });
});

describe("broken promises of the shell", () => {
  test.each<[string, readonly RoundEvent[]]>([
    ["a report of nobody", [reported()]],
    ["one report too many", [assigned(1), reported(), reported()]],
    ["a departure after the report", [assigned(1), reported(), left()]],
    ["an assignment of no device", [assigned(0)]],
    ["a commit that nobody asked for", [{ kind: "sum-committed" }]],
  ])("%s is an assertion", (_, events) => {
    expect(() => run(events)).toThrow(AssertionError);
  });

  test("a policy without a place for every report is an assertion", () => {
    expect(() => openRound({ ...policy, assignedTarget: 9 }, at(0))).toThrow(AssertionError);
  });
});

const anyPolicy = fc
  .record({ goal: fc.integer({ min: 1, max: 6 }), surplus: fc.integer({ min: 0, max: 4 }), selection: fc.integer({ min: 0, max: 50 }), reporting: fc.integer({ min: 0, max: 50 }), a: fc.constantFrom(0, 0.3, 0.5, 1), b: fc.constantFrom(0, 0.3, 0.7, 1) })
  .map(({ goal, surplus, selection, reporting, a, b }): RoundPolicy => ({
    goalCount: goal, assignedTarget: goal + surplus, selectionWindowMs: durationMs(selection), selectionFractionMin: a, reportingWindowMs: durationMs(reporting), reportingFractionMin: b,
  }));
type Move = "assign" | "report" | "leave" | "time" | "stop" | "fail" | "commit";
const anyMoves = fc.array(
  fc.record({
    move: fc.oneof({ weight: 8, arbitrary: fc.constant<Move>("assign") }, { weight: 6, arbitrary: fc.constant<Move>("report") }, { weight: 3, arbitrary: fc.constant<Move>("leave") },
      { weight: 2, arbitrary: fc.constant<Move>("time") }, { weight: 1, arbitrary: fc.constantFrom<Move>("stop", "fail", "commit") }),
    waitMs: fc.integer({ min: 0, max: 12 }),
  }),
  { maxLength: 40 },
);

type Pair = { round: Round; slow: SlowRound; effects: string[] };

/** Plays a move on both, where a correct shell could make it; `now` is the moment. */
function play(pair: Pair, move: Move, now: number): void {
  const { slow } = pair;
  const step = (event: RoundEvent): void => {
    const { round, effects } = stepRound(pair.round, event);
    pair.round = round;
    pair.effects.push(...effects.map((effect) => (effect.kind === "commit" ? "commit" : `discard-sum ${effect.reason}`)));
  };
  const isWorking = slow.count("working") > 0;
  if (move === "assign" && freePlaces(pair.round) > 0) { slow.assign(now); step(assigned(1, now)); }
  if (move === "report" && isWorking) { slow.end("reported", now); step(reported(now)); }
  if (move === "leave" && isWorking) { slow.end("left", now); step(left(now)); }
  if (move === "time") { slow.time(now); step(time(now)); }
  if (move === "stop") { slow.stop("task-stopped"); step({ kind: "task-stopped" }); }
  if (move === "fail") { slow.stop("sum-failed"); step({ kind: "sum-failed" }); }
  if (move === "commit" && !slow.isOpen()) { slow.commit(); step({ kind: "sum-committed" }); }
}

test("whatever happens in whatever order, the reducer agrees with its slow twin", () => {
  fc.assert(fc.property(anyPolicy, anyMoves, (used, moves) => {
    const pair: Pair = { round: openRound(used, at(0)), slow: new SlowRound(used, at(0)), effects: [] };
    let now = 0;
    for (const { move, waitMs } of moves) {
      now += waitMs;
      play(pair, move, now);
      const { round, slow } = pair;
      expect(round.phase).toBe(slow.phase);
      expect(round.counts).toEqual({ assigned: slow.devices.length, reported: slow.count("reported"), left: slow.count("left") });
      expect(nextDeadline(round)).toBe(slow.isOpen() ? slow.deadline : undefined);
      expect(pair.effects).toEqual(slow.effects);
    }
  }), { numRuns: 1000 });
});

test("no round waits for ever: two deadlines close it, with exactly one effect", () => {
  fc.assert(fc.property(anyPolicy, anyMoves, (used, moves) => {
    const pair: Pair = { round: openRound(used, at(0)), slow: new SlowRound(used, at(0)), effects: [] };
    moves.filter(({ move }) => move !== "fail").forEach(({ move, waitMs }) => play(pair, move, waitMs));
    for (let i = 0; i < 2; i++) play(pair, "time", nextDeadline(pair.round) ?? 0);
    expect(acceptsReports(pair.round)).toBe(false);
    expect(pair.effects).toHaveLength(1);
  }), { numRuns: 500 });
});

test("no more places are held than the policy has, and no report beyond the goal is counted", () => {
  fc.assert(fc.property(anyPolicy, anyMoves, (used, moves) => {
    const pair: Pair = { round: openRound(used, at(0)), slow: new SlowRound(used, at(0)), effects: [] };
    for (const { move, waitMs } of moves) {
      play(pair, move, waitMs);
      const { assigned: all, left: gone, reported: done } = pair.round.counts;
      expect(all - gone).toBeLessThanOrEqual(used.assignedTarget);
      expect(done).toBeLessThanOrEqual(used.goalCount);
      expect(done + gone).toBeLessThanOrEqual(all);
    }
  }), { numRuns: 500 });
});
