import { durationMs, SeededRandom } from "@tutti/base";
import { expect, test } from "vitest";
import { VirtualTime } from "../world/virtual-time.ts";
import { DueResults } from "./due-results.ts";

const never = Promise.withResolvers<undefined>().promise;

/** Real work that ends after so many messages to and fro, as a thread's would: virtual time does not see it coming. */
function after(turns: number): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    let left = turns;
    port2.addEventListener("message", () => port2.postMessage(null));
    port1.addEventListener("message", () => {
      if (--left > 0) {
        port1.postMessage(null);
        return;
      }
      port1.close();
      resolve();
    });
    port2.start();
    port1.start();
    port1.postMessage(null);
  });
}

/** Two pieces of work with virtual ends at 10 and 20 ms; `turns` are their real lengths. */
async function orderOf(turns: readonly [number, number], hold: boolean): Promise<readonly string[]> {
  const [time, due, order] = [new VirtualTime(0, SeededRandom.from(1)), new DueResults(), [] as string[]];
  const work = async (name: string, virtualMs: number, realTurns: number): Promise<void> => {
    const result = after(realTurns);
    await time.sleep(durationMs(virtualMs));
    await due.take(result);
    order.push(`${name} at ${time.now()}`);
  };
  void work("first", 10, turns[0]);
  void work("second", 20, turns[1]);
  await time.pass(100, () => order.length === 2, () => (hold ? due.settle(never) : Promise.resolve()));
  return order;
}

test("results are taken at their virtual ends, whichever work is done first in truth", async () => {
  const expected = ["first at 10", "second at 20"];
  expect(await orderOf([50, 1], true)).toEqual(expected);
  expect(await orderOf([1, 50], true)).toEqual(expected);
});

test("without the hold the slow result would come late: the check above can fail", async () => {
  expect(await orderOf([50, 1], false)).not.toEqual(["first at 10", "second at 20"]);
});

test("an end from outside does not wait for what is due", async () => {
  const due = new DueResults();
  let isTaken = false;
  void due.take(never).then(() => (isTaken = true));
  await due.settle(Promise.resolve());
  expect(isTaken).toBe(false);
});
