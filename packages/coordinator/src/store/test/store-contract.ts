import { AssertionError, instantMs, sha256Hex } from "@tutti/base";
import { roundId, taskName } from "@tutti/protocol";
import { describe, expect, test } from "vitest";
import type { Store } from "../store.ts";
import {
  closedRow, closing, contentOf, line, names, nextModel, openRoundRow, otherPopulation, population, populationRow, round, startModel, taskRow, withRound, withTask,
} from "./rows.ts";

export type StoreBench = {
  readonly store: Store;
  /** A store over the same data, after `store` was closed where that can be told. */
  readonly again: () => Promise<Store>;
};

/** What every store keeps to. @param begin an empty store. */
export function storeContract(name: string, begin: () => Promise<StoreBench>): void {
  describe(`${name}, as a store,`, () => {
    describe("of populations", () => {
      test("gives back their keys, in the order in which they were added", async () => {
        const { store, again } = await begin();
        const [first, second] = [populationRow({ population: otherPopulation }), populationRow()];
        expect(await store.addPopulation(first)).toEqual(first);
        expect(await store.addPopulation(second)).toEqual(second);
        expect(await (await again()).populations()).toEqual([first, second]);
      });

      test("keeps the first keys of a population that is added again, and gives them", async () => {
        const { store, again } = await begin();
        await store.addPopulation(populationRow());
        const second = populationRow({ tokenKey: new Uint8Array(32).fill(9) });
        const third = populationRow({ planKey: new Uint8Array(48).fill(8) });
        expect(await Promise.all([store.addPopulation(second), store.addPopulation(third)])).toEqual([populationRow(), populationRow()]);
        expect(await (await again()).populations()).toEqual([populationRow()]);
      });
    });

    describe("of tasks", () => {
      test("gives back a task with its document, its progress and its start as the latest model", async () => {
        const { store, again } = await begin();
        await store.addPopulation(populationRow());
        expect(await store.addTask(taskRow(), startModel())).toBe("added");
        const reopened = await again();
        expect(await reopened.tasks()).toEqual([taskRow()]);
        expect(await reopened.models(names)).toEqual([startModel()]);
        expect(await reopened.latestModel(names)).toEqual(startModel());
      });

      test("lists them in the order in which they were added, whatever their names", async () => {
        const { store, again } = await begin();
        await store.addPopulation(populationRow());
        const tasks = ["z", "a", "m"].map((task) => taskName(task));
        for (const task of tasks) await store.addTask(taskRow({ task }), startModel({ task }));
        expect((await (await again()).tasks()).map(({ task }) => task)).toEqual(tasks);
      });

      test("changes nothing when the task exists", async () => {
        const { store, again } = await begin();
        await withTask(store);
        const before = await contentOf(store);
        const other = taskRow({ document: { name: "another" }, progress: null, createdAt: instantMs(7) });
        expect(await store.addTask(other, startModel({ hash: sha256Hex("c".repeat(64)) }))).toBe("exists");
        expect(await contentOf(await again())).toEqual(before);
      });

      test.each([
        ["of one name, in two populations,", { population: otherPopulation, task: line }],
        ["of one population", { population, task: taskName("another") }],
      ])("keeps two tasks %s apart", async (_, theirs) => {
        const { store, again } = await begin();
        await withTask(store);
        await store.addPopulation(populationRow({ population: otherPopulation }));
        const [before, populations] = [await contentOf(store), await store.populations()];
        const theirRound = roundId(theirs.population, theirs.task, 0);
        const theirModel = { ...nextModel(1), ...theirs, round: theirRound };
        expect(await store.addTask(taskRow(theirs), startModel({ ...theirs, hash: sha256Hex("d".repeat(64)) }))).toBe("added");
        await store.openRound(openRoundRow(theirRound));
        await store.addAssignment({ round: theirRound, slot: 0, requestId: "theirs" });
        await store.closeRound({ ...closing(theirRound), reports: [{ slot: 0, fingerprint: "f" }], model: theirModel });
        const reopened = await again();
        expect(await reopened.latestModel(theirs)).toEqual(theirModel);
        expect(await reopened.models(theirs)).toHaveLength(2);
        expect(await reopened.closedRounds(theirs, 9)).toEqual([closedRow(theirRound)]);
        const [ours, ...others] = await reopened.tasks();
        expect(others).toEqual([taskRow({ ...theirs, progress: { phase: "running", nextRound: 1 } })]);
        expect({ ...(await contentOf(reopened) as object), tasks: [ours] }).toEqual({ ...(before as object), populations });
      });

      test("takes a task of an unknown population, a start that is not version 0, and one of another task for broken promises", async () => {
        const { store, again } = await begin();
        await expect(store.addTask(taskRow(), startModel())).rejects.toThrow(AssertionError);
        await store.addPopulation(populationRow());
        await expect(store.addTask(taskRow(), startModel({ version: 1 }))).rejects.toThrow(AssertionError);
        await expect(store.addTask(taskRow(), startModel({ task: taskName("another") }))).rejects.toThrow(AssertionError);
        expect(await (await again()).tasks()).toEqual([]);
      });

      test("gives back the progress that was saved last, of that task alone", async () => {
        const { store, again } = await begin();
        await withTask(store);
        const other = { population, task: taskName("another") };
        await store.addTask(taskRow(other), startModel(other));
        await Promise.all([store.saveProgress({ ...names, progress: { at: 1 } }), store.saveProgress({ ...names, progress: { at: 2 } })]);
        expect(await (await again()).tasks()).toEqual([taskRow({ progress: { at: 2 } }), taskRow(other)]);
      });

      test("takes the progress and the latest model of a task that was never added for broken promises", async () => {
        const { store } = await begin();
        await expect(store.saveProgress({ ...names, progress: 1 })).rejects.toThrow(AssertionError);
        await expect(store.latestModel(names)).rejects.toThrow(AssertionError);
        expect(await store.models(names)).toEqual([]);
        expect(await store.closedRounds(names, 10)).toEqual([]);
      });
    });

    describe("of open rounds", () => {
      test("gives them back with key and state, in the order in which they were opened", async () => {
        const { store, again } = await begin();
        await withTask(store);
        const rows = [openRoundRow(round(7), { kind: "evaluate" }), openRoundRow(round(3))];
        for (const row of rows) await store.openRound(row);
        expect(await (await again()).openRounds()).toEqual(rows);
      });

      test("opens no round twice, neither while it is open nor after it was closed, nor one of an unknown task", async () => {
        const { store, again } = await begin();
        await withRound(store);
        await expect(store.openRound(openRoundRow(round(0), { kind: "evaluate" }))).rejects.toThrow(AssertionError);
        await store.closeRound(closing(round(0)));
        await expect(store.openRound(openRoundRow(round(0)))).rejects.toThrow(AssertionError);
        await expect(store.openRound(openRoundRow(roundId(otherPopulation, line, 0)))).rejects.toThrow(AssertionError);
        const reopened = await again();
        expect(await reopened.openRounds()).toEqual([]);
        expect(await reopened.closedRound(round(0))).toEqual(closedRow(round(0)));
      });

      test("gives back the state that was saved last, of that round alone", async () => {
        const { store, again } = await begin();
        await withRound(store, 0);
        await store.openRound(openRoundRow(round(1)));
        await Promise.all([store.saveRoundState(round(0), { phase: "reporting" }), store.saveRoundState(round(0), { phase: "committing" })]);
        expect(await (await again()).openRounds()).toEqual([openRoundRow(round(0), { state: { phase: "committing" } }), openRoundRow(round(1))]);
      });

      test("takes state, assignment, departure and end of a round that is not open for broken promises", async () => {
        const { store, again } = await begin();
        await withTask(store);
        const before = await contentOf(store);
        await expect(store.saveRoundState(round(0), {})).rejects.toThrow(AssertionError);
        await expect(store.addAssignment({ round: round(0), slot: 0, requestId: "r" })).rejects.toThrow(AssertionError);
        await expect(store.addDeparture({ round: round(0), slot: 0, reason: "r", phases: "c" })).rejects.toThrow(AssertionError);
        await expect(store.closeRound(closing(round(0), { model: nextModel(1) }))).rejects.toThrow(AssertionError);
        expect(await contentOf(await again())).toEqual(before);
      });
    });

    describe("of places", () => {
      test("gives back assignments and departures by slot, of each round its own", async () => {
        const { store, again } = await begin();
        await withRound(store, 0);
        await store.openRound(openRoundRow(round(1)));
        for (const slot of [10, 9, 0]) await store.addAssignment({ round: round(0), slot, requestId: `request-${slot}` });
        await store.addAssignment({ round: round(1), slot: 9, requestId: "request-9" });
        for (const slot of [10, 0]) await store.addDeparture({ round: round(0), slot, reason: "no-battery", phases: "cdi" });
        const reopened = await again();
        expect(await reopened.assignments(round(0))).toEqual([0, 9, 10].map((slot) => ({ round: round(0), slot, requestId: `request-${slot}` })));
        expect(await reopened.assignments(round(1))).toEqual([{ round: round(1), slot: 9, requestId: "request-9" }]);
        expect(await reopened.departures(round(0))).toEqual([0, 10].map((slot) => ({ round: round(0), slot, reason: "no-battery", phases: "cdi" })));
        expect(await reopened.departures(round(1))).toEqual([]);
      });

      test("refuses a slot and a request id that the round has, and no neighbour of theirs", async () => {
        const { store, again } = await begin();
        await withRound(store);
        const asked = [
          { slot: 0, requestId: "a" }, { slot: 0, requestId: "b" }, { slot: 1, requestId: "a" }, { slot: 1, requestId: "b" }, { slot: 1, requestId: "b" }, { slot: 2, requestId: "c" },
        ];
        const outcomes = await Promise.allSettled(asked.map((row) => store.addAssignment({ round: round(0), ...row })));
        expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled", "rejected", "fulfilled"]);
        expect(outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []))).toEqual(Array(3).fill(expect.any(AssertionError)));
        expect(await (await again()).assignments(round(0))).toEqual([0, 3, 5].map((i) => ({ round: round(0), ...asked[i] })));
      });

      test("keeps the first of two departures of one slot, and refuses that of a slot without assignment", async () => {
        const { store, again } = await begin();
        await withRound(store);
        await store.addAssignment({ round: round(0), slot: 4, requestId: "a" });
        const departure = { round: round(0), slot: 4, reason: "first", phases: "ci" };
        await store.addDeparture(departure);
        await Promise.all([store.addDeparture({ ...departure, reason: "second" }), store.addDeparture({ ...departure, reason: "third" })]);
        await expect(store.addDeparture({ ...departure, slot: 5 })).rejects.toThrow(AssertionError);
        expect(await (await again()).departures(round(0))).toEqual([departure]);
      });

      test("holds each of 3000 places that were handed out and half given back at once", async () => {
        const { store, again } = await begin();
        await withRound(store);
        const slots = Array.from({ length: 3000 }, (_, slot) => slot);
        await Promise.all(slots.flatMap((slot) => [
          store.addAssignment({ round: round(0), slot, requestId: `request-${slot}` }),
          ...(slot % 2 === 0 ? [store.addDeparture({ round: round(0), slot, reason: "left", phases: "ci" })] : []),
        ]));
        const reopened = await again();
        expect(await reopened.assignments(round(0))).toEqual(slots.map((slot) => ({ round: round(0), slot, requestId: `request-${slot}` })));
        expect((await reopened.departures(round(0))).map(({ slot }) => slot)).toEqual(slots.filter((slot) => slot % 2 === 0));
      });

      test("makes changes of all kinds in the order of their calls", async () => {
        const { store, again } = await begin();
        await withTask(store);
        await Promise.all([
          store.openRound(openRoundRow(round(0))),
          store.addAssignment({ round: round(0), slot: 0, requestId: "a" }),
          store.saveRoundState(round(0), { phase: "reporting" }),
          store.addDeparture({ round: round(0), slot: 0, reason: "left", phases: "ci" }),
          store.closeRound(closing(round(0), { model: nextModel(1) })),
          store.openRound(openRoundRow(round(1))),
          store.addAssignment({ round: round(1), slot: 0, requestId: "a" }),
        ]);
        const reopened = await again();
        expect(await reopened.openRounds()).toEqual([openRoundRow(round(1))]);
        expect(await reopened.assignments(round(1))).toEqual([{ round: round(1), slot: 0, requestId: "a" }]);
        expect(await reopened.latestModel(names)).toEqual(nextModel(1));
      });
    });

    describe("of closed rounds", () => {
      const reports = [{ slot: 2, fingerprint: "f2" }, { slot: 0, fingerprint: "f0" }];

      async function withReportedRound(store: Store): Promise<Store> {
        await withRound(store);
        for (const slot of [0, 1, 2]) await store.addAssignment({ round: round(0), slot, requestId: `request-${slot}` });
        await store.addDeparture({ round: round(0), slot: 1, reason: "left", phases: "ci" });
        return store;
      }

      test("ends a round in one step: its row, its reports by slot, the new latest model and the progress stand, and all of the open round is gone", async () => {
        const { store, again } = await begin();
        await withReportedRound(store);
        await store.closeRound(closing(round(0), { reports, model: nextModel(1) }));
        expect(await contentOf(await again())).toEqual({
          populations: [populationRow()],
          tasks: [taskRow({ progress: { phase: "running", nextRound: 1 } })],
          models: [startModel(), nextModel(1)],
          latest: nextModel(1),
          open: [],
          closedRounds: [closedRow(round(0))],
          rounds: [{ assignments: [], departures: [], closed: closedRow(round(0)), reports: [...reports].toReversed() }],
        });
      });

      test("leaves the model of an abandoned round where it was", async () => {
        const { store, again } = await begin();
        await withReportedRound(store);
        const closed = closedRow(round(0), { outcome: "abandoned", reason: "too-few-reports", metrics: null, phases: {} });
        await store.closeRound(closing(round(0), { closed }));
        const reopened = await again();
        expect(await reopened.closedRound(round(0))).toEqual(closed);
        expect(await reopened.reports(round(0))).toEqual([]);
        expect(await reopened.models(names)).toEqual([startModel()]);
      });

      test.each([
        ["a model version that exists", { model: startModel({ round: round(0) }) }],
        ["a model of another task", { model: nextModel(1, { task: taskName("another") }) }],
        ["two reports of one slot", { model: nextModel(1), reports: [...reports, { slot: 0, fingerprint: "again" }] }],
      ])("undoes all of an end with %s, and nothing of its neighbours", async (_, changes) => {
        const { store, again } = await begin();
        await withReportedRound(store);
        await store.addTask(taskRow({ task: taskName("another") }), startModel({ task: taskName("another") }));
        const before = await contentOf(store) as { readonly rounds: readonly [{ readonly assignments: readonly unknown[] }] };
        const added = { round: round(0), slot: 7, requestId: "neighbour" };
        const [closed, neighbour] = await Promise.allSettled([store.closeRound(closing(round(0), { reports, ...changes })), store.addAssignment(added)]);
        expect(closed).toEqual({ status: "rejected", reason: expect.any(AssertionError) as unknown });
        expect(neighbour.status).toBe("fulfilled");
        const reopened = await again();
        const [only] = before.rounds;
        expect(await contentOf(reopened)).toEqual({ ...before, rounds: [{ ...only, assignments: [...only.assignments, added] }] });
        await reopened.closeRound(closing(round(0), { reports, model: nextModel(1) }));
        expect(await reopened.latestModel(names)).toEqual(nextModel(1));
      });

      test("closes no round twice", async () => {
        const { store, again } = await begin();
        await withReportedRound(store);
        await store.closeRound(closing(round(0), { reports, model: nextModel(1) }));
        const before = await contentOf(store);
        await expect(store.closeRound(closing(round(0), { model: nextModel(2), progress: "twice" }))).rejects.toThrow(AssertionError);
        expect(await contentOf(await again())).toEqual(before);
      });

      test("lists the highest numbers first, not the longest names or the last closed, and no more than are asked for", async () => {
        const { store, again } = await begin();
        await withTask(store);
        for (const number of [10, 2, 9, 11]) {
          await store.openRound(openRoundRow(round(number)));
          await store.closeRound(closing(round(number)));
        }
        const reopened = await again();
        expect((await reopened.closedRounds(names, 3)).map((row) => row.round)).toEqual([11, 10, 9].map(round));
        expect(await reopened.closedRounds(names, 100)).toHaveLength(4);
        expect(await reopened.closedRounds(names, 0)).toEqual([]);
      });

      test("keeps the reports of each round, also of a thousand devices", async () => {
        const { store, again } = await begin();
        await withTask(store);
        const many = Array.from({ length: 1000 }, (_, slot) => ({ slot, fingerprint: `fingerprint-${slot}` }));
        await store.openRound(openRoundRow(round(0)));
        await store.closeRound(closing(round(0), { reports: many }));
        await store.openRound(openRoundRow(round(1)));
        await store.closeRound(closing(round(1), { reports }));
        const reopened = await again();
        expect(await reopened.reports(round(0))).toEqual(many);
        expect(await reopened.reports(round(1))).toEqual([...reports].toReversed());
        expect(await reopened.reports(round(2))).toEqual([]);
        expect(await reopened.closedRound(round(2))).toBeUndefined();
      });

      test("keeps every model version, by version", async () => {
        const { store, again } = await begin();
        await withTask(store);
        for (const version of [1, 2, 3]) {
          await store.openRound(openRoundRow(round(version - 1)));
          await store.closeRound(closing(round(version - 1), { model: nextModel(version) }));
        }
        const reopened = await again();
        expect(await reopened.models(names)).toEqual([startModel(), nextModel(1), nextModel(2), nextModel(3)]);
        expect(await reopened.latestModel(names)).toEqual(nextModel(3));
      });
    });

    test("makes durable what was asked for before it was closed, and closes twice", async () => {
      const { store, again } = await begin();
      await withRound(store);
      const added = store.addAssignment({ round: round(0), slot: 0, requestId: "a" });
      const reopened = await again();
      await added;
      expect(await reopened.assignments(round(0))).toHaveLength(1);
      await reopened.close();
      await reopened.close();
    });
  });
}
