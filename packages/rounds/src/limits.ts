/** Every maximum of tasks, rounds and pacing, with its reason. */

/** Reports of one round: one aggregator adds 10^6 small reports within its reporting window. */
export const goalCountMax = 1_000_000;
/** Over-selection at first, before anything is known of this population's dropout (Bonawitz et al. 2019). */
export const firstOverSelection = 1.3;
/** Adapted over-selection stays in this range: below it a single vanished device delays a small round. */
export const overSelectionMin = 1.1;
/** Above it most training would be thrown away: the window or the conditions are at fault then. */
export const overSelectionMax = 1.6;
/** What an operator may fix by hand; a test that loses half of its devices needs 2, and doubles it for luck. */
export const fixedOverSelectionMax = 4;
/** Devices whose end must have been seen before the measured dropout replaces the first over-selection. */
export const observedDevicesMin = 20;
/** Weight of what was known before at each new round: rounds ten back count a third. */
export const observationDecay = 0.9;
/** The shortest adaptive reporting window: time for one upload over a slow line. */
export const adaptiveReportingWindowMsMin = 30_000;
/** The adaptive reporting window before any device's time was measured: ten minutes of training. */
export const firstReportingWindowMs = 10 * 60_000;
/** The longest selection or reporting window: a round within a day. */
export const windowMsMax = 24 * 3600 * 1000;
/** Rounds of one task: a round's number has at most nine digits in its id. */
export const roundCountMax = 100_000_000;
/** Evaluations that patience may wait for. */
export const patienceEvaluationsMax = 10_000;
/** Bounds of a clip norm: float32 deltas of a model that trains lie far inside. */
export const clipNormMin = 1e-9;
export const clipNormMax = 1e9;
/**
 * Largest product of weightMax and places: it keeps the grid of the exact sum below clipNorm · 2^-20,
 * finer than the float32 rounding of the coordinates that matter.
 */
export const sumWeightMax = 2 ** 30;
/** Faults that a refused task document lists: more than a person reads at once. */
export const taskFaultsMax = 50;

/** Rounds that a population must fill before its check-ins are spread instead of aligned. */
export const smallPopulationRounds = 4;
/** Aligned devices come within this part of a round after it opens: the round fills at once, the server is not hit at one instant. */
export const alignedSpread = 0.25;
/** The narrowest retry window: a demo's rounds last a second or two. */
export const retryWindowMsMin = 100;
/** Wait where no task runs: a task that is created then is found within a minute or two. */
export const idleRetryMs = 60_000;
/** Check-ins per second that a population without work may cause. */
export const idleCheckInsPerSecondMax = 100;
