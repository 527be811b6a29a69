import { assert } from "@tutti/base";
import type { Lock } from "../platform.ts";
import { rejects, type Clause } from "./contract.ts";

/** What every device's lock does; each clause gets a free one. Runs anywhere, a page included. */
export const lockContract: readonly Clause<Lock>[] = [
  {
    name: "the work's value comes back, and the lock is free again",
    run: async (lock) => {
      for (const value of [1, 2]) {
        const held = await lock.ifFree("a", () => Promise.resolve(value));
        assert(held.ok && held.value === value, "the work ran");
      }
    },
  },
  {
    name: "while one holds the lock another is refused at once, and its work never runs",
    run: async (lock) => {
      const { promise: end, resolve: release } = Promise.withResolvers<undefined>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
      const first = lock.ifFree("a", async () => {
        begin(undefined);
        await end;
      });
      await begun;
      let ran = false;
      const second = await lock.ifFree("a", () => {
        ran = true;
        return Promise.resolve();
      });
      assert(!second.ok && second.error.code === "held" && !ran, "refused");
      const other = await lock.ifFree("b", () => Promise.resolve("free"));
      assert(other.ok, "another name is another lock");
      release(undefined);
      assert((await first).ok, "the first one ends as ever");
    },
  },
  {
    name: "work that fails passes its failure on and frees the lock",
    run: async (lock) => {
      assert(await rejects(lock.ifFree("a", () => Promise.reject(new Error("the work failed")))), "its failure comes through");
      const after = await lock.ifFree("a", () => Promise.resolve());
      assert(after.ok, "and the lock is free");
    },
  },
];
