/** Every maximum of the simulated world, with its reason. */

/** Moments of one world: ten times what the busiest of 20 000 seeds took; beyond it something turns on the spot. */
export const momentsMax = 200_000;
/** Lines of a trace: each moment writes a few. */
export const traceLinesMax = 600_000;
/** Turns of the event loop at one moment: a request takes five; beyond it something waits for the real machine. */
export const turnsPerMomentMax = 10_000;
/** Different bodies that may be tried as one slot's report in one recomputed sum: honest devices send one. */
export const bodyChoicesMax = 256;
/** How long after the faults every task must have stopped: longer than all waits and windows of a swarm together. */
export const livenessMs = 12 * 3600 * 1000;
/** How long after the last task stopped every participation must have ended: a deadline and the tries of its requests. */
export const settlingMs = 2 * 3600 * 1000;
/** A reporting round without outstanding devices closes within this, disk and checkpoints included. */
export const closingMs = 30_000;
/** A device may come this much later than its moment: its store takes a few ms for each read. */
export const wakingMs = 2000;
