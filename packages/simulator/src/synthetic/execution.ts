import type { SeededRandom } from "@tutti/base";
import { gravity, windowHz, type Activity } from "../watch-window.ts";
import { rotated, type Wearer } from "./wearer.ts";

/** What a watch measures during one execution. */
export type Recording = {
  /** One of each sample: [sampleCount]. */
  readonly activities: readonly Activity[];
  /** Accelerometer x, y, z in m/s² and gyroscope x, y, z in rad/s: [sampleCount, 6]. */
  readonly samples: Float64Array;
};

type Segment = {
  readonly activity: Activity;
  readonly sampleCount: number;
  /** Angle of a turn in rad, its sign the direction; 0 for the others. */
  readonly turn: number;
};

/** Movement of the forearm in the plane of walking, and of the body that carries it, at one sample. */
type Movement = {
  /** From hanging down, forwards, in rad. */
  readonly armAngle: number;
  /** Accelerations of the body in m/s². */
  readonly up: number;
  readonly forward: number;
  readonly lateral: number;
  /** Turning of the body about the vertical, rad/s. */
  readonly yawRate: number;
};

/** Part of the way to its new level that the gait moves in one sample: a time constant of 0.16 s. */
const gaitRate = 0.12;
const accelerometerStdDev = 0.35;
const gyroscopeStdDev = 0.12;

/**
 * One execution as in the real data set's protocol: seated, standing up, a walk, a turn, the way back, a
 * turn, sitting down, seated. The forearm is one rigid rod that turns in the plane of walking, on a body
 * that bounces with each step and turns about the vertical; the watch measures gravity and acceleration
 * at the arm, and the rates of both turns. No muscle, no soft tissue: enough that the activities differ
 * as real ones do, and that people differ.
 */
export function recordExecution(wearer: Wearer, random: SeededRandom): Recording {
  const movements = [...movementsOf(wearer, random)];
  const samples = new Float64Array(6 * movements.length);
  for (const [i, { movement }] of movements.entries()) {
    const before = movements[Math.max(0, i - 1)]?.movement.armAngle ?? movement.armAngle;
    samples.set(measured(wearer, movement, (movement.armAngle - before) * windowHz, random), 6 * i);
  }
  return { activities: movements.map(({ activity }) => activity), samples };
}

function* movementsOf(wearer: Wearer, random: SeededRandom): Generator<{ readonly activity: Activity; readonly movement: Movement }> {
  // Phase of the steps, strength of the gait (0 standing, 1 walking), and the arm's slow wandering.
  let phase = 2 * Math.PI * random.uniform();
  let gait = 0;
  let wander = 0;
  for (const { activity, sampleCount, turn } of segmentsOf(wearer, random)) {
    const effort = 0.8 + 0.4 * random.uniform();
    for (let i = 0; i < sampleCount; i++) {
      const done = (i + 0.5) / sampleCount;
      gait += gaitRate * (gaitOf(activity) - gait);
      wander = 0.97 * wander + 0.02 * random.normal();
      phase += (2 * Math.PI * wearer.stepHz * effort ** 0.3) / windowHz;
      const posture = postureOf(wearer, activity, done) + wander;
      const change = changeOf(wearer, { activity, done, effort });
      // The rate of the turn rises and falls with one cosine; its sum over the segment is the whole angle.
      const turnRate = (turn * (1 - Math.cos(2 * Math.PI * done)) * windowHz) / sampleCount;
      yield { activity, movement: movementAt(wearer, { phase, gait, posture, change, turnRate }) };
    }
  }
}

function segmentsOf({ slowness }: Wearer, random: SeededRandom): readonly Segment[] {
  const segment = (activity: Activity, secondsMin: number, secondsMax: number, turn = 0): Segment =>
    ({ activity, sampleCount: Math.round(windowHz * (secondsMin + (secondsMax - secondsMin) * random.uniform())), turn });
  const change = (activity: Activity): Segment => segment(activity, 1.2 * slowness, 1.7 * slowness);
  const turning = (): Segment => segment("TURNING", 1.3 * slowness, 1.9 * slowness, (random.uniform() < 0.5 ? 1 : -1) * (2.4 + 1.2 * random.uniform()));
  return [
    segment("SEATED", 1.5, 2.5), change("STANDING_UP"), segment("WALKING", 2.5, 4.5), turning(),
    segment("WALKING", 2.5, 4.5), turning(), change("SITTING_DOWN"), segment("SEATED", 1.5, 2.5),
  ];
}

function gaitOf(activity: Activity): number {
  if (activity === "WALKING") return 1;
  return activity === "TURNING" ? 0.6 : 0;
}

/** Where the arm is carried, without its swing. @param done 0..1 of the segment. */
function postureOf({ seatedAngle, hangingAngle }: Wearer, activity: Activity, done: number): number {
  const between = (from: number, to: number): number => from + (to - from) * eased(done);
  if (activity === "STANDING_UP") return between(seatedAngle, hangingAngle);
  if (activity === "SITTING_DOWN") return between(hangingAngle, seatedAngle);
  return activity === "SEATED" ? seatedAngle : hangingAngle;
}

/** From 0 to 1 with the least jerk (Flash and Hogan 1985): how people move a limb from rest to rest. */
function eased(done: number): number {
  return done ** 3 * (10 - 15 * done + 6 * done ** 2);
}

/** The trunk's vertical acceleration in a change of posture, m/s²: up then down in standing up, the other way and a small impact in sitting down. */
function changeOf({ rise }: Wearer, { activity, done, effort }: { readonly activity: Activity; readonly done: number; readonly effort: number }): number {
  const wave = effort * rise * Math.sin(2 * Math.PI * done);
  if (activity === "STANDING_UP") return wave;
  return activity === "SITTING_DOWN" ? -wave + effort * rise * Math.exp(-(((done - 0.85) / 0.06) ** 2)) : 0;
}

/** What the body does at one moment: where it is in a step, how strong it walks, how it changes posture, how fast it turns. */
type Moment = { readonly phase: number; readonly gait: number; readonly posture: number; readonly change: number; readonly turnRate: number };

function movementAt({ swing, bounce }: Wearer, { phase, gait, posture, change, turnRate }: Moment): Movement {
  return {
    armAngle: posture + gait * swing * Math.sin(phase / 2),
    up: change + gait * bounce * (Math.cos(phase) + 0.35 * Math.cos(2 * phase + 0.6)),
    forward: 0.6 * change + 0.5 * gait * bounce * Math.sin(phase),
    lateral: 0.3 * gait * bounce * Math.sin(phase / 2),
    yawRate: turnRate + 0.4 * gait * Math.cos(phase / 2),
  };
}

/**
 * Arm axes: x along the forearm to the hand, z forwards when it hangs, y across. Raised by θ, the vertical
 * is (−cos θ, 0, sin θ) and forwards (sin θ, 0, cos θ) in them; raising the arm turns it about −y.
 */
function measured({ mounting }: Wearer, { armAngle, up, forward, lateral, yawRate }: Movement, armRate: number, random: SeededRandom): readonly number[] {
  const [cos, sin] = [Math.cos(armAngle), Math.sin(armAngle)];
  const lift = gravity + up;
  const force = rotated(mounting, [-lift * cos + forward * sin, lateral, lift * sin + forward * cos]);
  const rate = rotated(mounting, [-yawRate * cos, -armRate, yawRate * sin]);
  return [...force.map((value) => value + accelerometerStdDev * random.normal()), ...rate.map((value) => value + gyroscopeStdDev * random.normal())];
}
