import { AssertionError } from "@tutti/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { freeSlots, openSlots, stepSlots, type Slots } from "./slots.ts";

test("a freed slot is handed out again at once, or only when the round has ended", () => {
  for (const [refill, freeNow] of [["at-once", 3], ["at-end", 1]] as const) {
    const taken = stepSlots(openSlots({ refill, capacity: 5 }), { kind: "taken", deviceCount: 4 });
    const freed = stepSlots(taken, { kind: "freed", deviceCount: 2 });
    expect(freeSlots(freed)).toBe(freeNow);
    expect(freeSlots(stepSlots(freed, { kind: "round-ended" }))).toBe(3);
  }
});

test("the end of a round takes no slot from a device that is still at work", () => {
  const slots = stepSlots(openSlots({ refill: "at-end", capacity: 5 }), { kind: "taken", deviceCount: 4 });
  expect(freeSlots(stepSlots(slots, { kind: "round-ended" }))).toBe(1);
});

test("a slot that is not free cannot be taken, and one that nobody holds cannot be freed", () => {
  const slots = openSlots({ refill: "at-once", capacity: 2 });
  expect(() => stepSlots(slots, { kind: "taken", deviceCount: 3 })).toThrow(AssertionError);
  expect(() => stepSlots(slots, { kind: "freed", deviceCount: 1 })).toThrow(AssertionError);
});

test("whatever happens, the free slots lie between 0 and the capacity, and a synchronous round hands out each of its slots once", () => {
  const moves = fc.array(fc.record({ move: fc.constantFrom("take", "free", "end"), part: fc.double({ min: 0, max: 1, noNaN: true }) }), { maxLength: 30 });
  fc.assert(fc.property(fc.constantFrom("at-once" as const, "at-end" as const), fc.integer({ min: 1, max: 20 }), moves, (refill, capacity, list) => {
    let slots: Slots = openSlots({ refill, capacity });
    let handedOut = 0;
    let heldAtStart = 0;
    for (const { move, part } of list) {
      const deviceCount = Math.ceil(part * (move === "take" ? freeSlots(slots) : slots.busyCount));
      if (move === "end") {
        slots = stepSlots(slots, { kind: "round-ended" });
        handedOut = 0;
        heldAtStart = slots.busyCount;
      } else if (deviceCount > 0) {
        slots = stepSlots(slots, { kind: move === "take" ? "taken" : "freed", deviceCount });
        handedOut += move === "take" ? deviceCount : 0;
      }
      expect(freeSlots(slots)).toBeGreaterThanOrEqual(0);
      expect(freeSlots(slots)).toBeLessThanOrEqual(capacity);
      expect(refill === "at-once" || handedOut <= capacity - heldAtStart).toBe(true);
    }
  }));
});
