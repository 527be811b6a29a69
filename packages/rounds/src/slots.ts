import { assert, unreachable } from "@tutti/base";

/**
 * Places for devices at work. `at-once` refills a place as soon as it is free (asynchronous, buffered
 * aggregation); `at-end` refills all of them when the round ends (synchronous rounds).
 */
export type Slots = {
  readonly refill: "at-once" | "at-end";
  readonly capacity: number;
  /** Devices that hold a place now. */
  readonly busyCount: number;
  /** Places freed since the last end, which `at-end` does not hand out again before the next one. */
  readonly spentCount: number;
};

export type SlotEvent = { readonly kind: "taken" | "freed"; readonly deviceCount: number } | { readonly kind: "round-ended" };

export function openSlots(options: { readonly refill: Slots["refill"]; readonly capacity: number }): Slots {
  assert(Number.isSafeInteger(options.capacity) && options.capacity >= 1, "there is at least one slot");
  return { ...options, busyCount: 0, spentCount: 0 };
}

/** Slots that may be handed out now. */
export function freeSlots({ refill, capacity, busyCount, spentCount }: Slots): number {
  return capacity - busyCount - (refill === "at-end" ? spentCount : 0);
}

/** The end of a round frees what was spent; devices still at work keep their slots until they are freed. */
export function stepSlots(slots: Slots, event: SlotEvent): Slots {
  switch (event.kind) {
    case "taken":
      assert(event.deviceCount >= 1 && event.deviceCount <= freeSlots(slots), "a slot is taken while it is free");
      return { ...slots, busyCount: slots.busyCount + event.deviceCount };
    case "freed":
      assert(event.deviceCount >= 1 && event.deviceCount <= slots.busyCount, "a slot is freed by a device that holds it");
      return { ...slots, busyCount: slots.busyCount - event.deviceCount, spentCount: slots.spentCount + event.deviceCount };
    case "round-ended":
      return { ...slots, spentCount: 0 };
    default:
      return unreachable(event);
  }
}
